package expr

import (
	_ "embed" // the data of the locales
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bojanz/currency"
	"golang.org/x/text/language"
)

//go:embed locales.txt
var localeData string

// localeLines are the lines of localeData by their locale.
var localeLines = sync.OnceValue(func() map[string]string {
	lines := map[string]string{}
	for line := range strings.Lines(localeData) {
		if id, text, ok := strings.Cut(line, "\t"); ok {
			lines[id] = text
		}
	}
	return lines
})

// A locale is how one language, as spoken in one place, writes things.
type locale struct {
	id    string
	tag   language.Tag
	money currency.Locale

	Months           []string             `json:"months"`
	MonthsAlone      []string             `json:"monthsAlone"`
	MonthsShort      []string             `json:"monthsShort"`
	MonthsShortAlone []string             `json:"monthsShortAlone"`
	Days             []string             `json:"days"` // from Sunday
	DaysShort        []string             `json:"daysShort"`
	DaysMin          []string             `json:"daysMin"`
	DayPeriods       []string             `json:"dayPeriods"`
	Dates            []string             `json:"dates"` // full, long, medium, short
	Times            []string             `json:"times"` // medium, short
	NumericDate      string               `json:"numericDate"`
	DateTime         string               `json:"dateTime"`
	Relative         map[string]unitWords `json:"relative"`
	And              []string             `json:"and"` // start, middle, end, two
	Or               []string             `json:"or"`
	Digits           string               `json:"digits"` // "" where they are 0 to 9
	Percent          string               `json:"percent"`
	Decimal          string               `json:"decimal"`
	Compact          map[string]forms     `json:"compact"` // by the number of zeros
	CompactLong      map[string]forms     `json:"compactLong"`

	shapes         sync.Map // of amounts, by currency
	formats        sync.Map // []stroke by format
	countedFormats atomic.Int64
	pluralOnce     sync.Once
	plurals        []string // the categories that there are
}

// forms are texts by their plural category.
type forms map[string]string

func (f forms) of(category string) string {
	if text, ok := f[category]; ok {
		return text
	}
	return f["other"]
}

// unitWords tell a distance in time, in one unit.
type unitWords struct {
	Words  map[string]string `json:"words"` // yesterday is -1
	Past   forms             `json:"past"`
	Future forms             `json:"future"`
}

// maxLocales are remembered: ids come from rows, and there is no end of them.
const maxLocales = 500

var (
	knownLocales   sync.Map // *locale by id
	countedLocales atomic.Int64
)

// localeOf finds a locale by its id, en-US for "". What a place does not say
// for itself, its language says: de-AT, de, en.
func localeOf(id string) (*locale, error) {
	if id == "" {
		id = defaultLocale
	}
	if l, ok := knownLocales.Load(id); ok {
		return l.(*locale), nil
	}
	l, err := readLocale(id)
	if err != nil {
		return nil, err
	}
	if countedLocales.Add(1) <= maxLocales {
		knownLocales.Store(id, l)
	}
	return l, nil
}

// CheckLocale says what is wrong with the id of a locale, such as Env.Locale;
// nil when it is known.
func CheckLocale(id string) error {
	_, err := localeOf(id)
	return err
}

func readLocale(id string) (*locale, error) {
	tag, err := language.Parse(id)
	if err != nil || len(id) > 35 || tag == language.Und {
		return nil, unknownLocale(id)
	}
	money := currency.NewLocale(tag.String())
	if script, sure := tag.Script(); sure == language.High && money.Script == "" {
		// zh-TW is written as zh-Hant is.
		if _, ok := localeLines()[money.Language+"-"+script.String()]; ok {
			money.Script = script.String()
		}
	}
	l := &locale{id: id, tag: tag, money: money}
	lines := chain(money)
	if lines == nil {
		return nil, unknownLocale(id)
	}
	for _, line := range lines {
		if err := json.Unmarshal([]byte(line), l); err != nil {
			return nil, fmt.Errorf("read locale %q: %w", id, err)
		}
	}
	return l, nil
}

func unknownLocale(id string) error {
	p := fail("the locale %s is not known", quote(id)).Expecting("a locale")
	p.WithHint("locales look like en-US, de or pt-BR")
	return p
}

// chain is the data to read for l, the remotest parent first; none where not
// even the language is known.
func chain(l currency.Locale) []string {
	var lines []string
	own := false
	for at := l; !at.IsEmpty(); at = at.GetParent() {
		if line, ok := localeLines()[at.String()]; ok {
			lines = append([]string{line}, lines...)
			own = own || at.Language == l.Language || at.Language != "en"
		}
	}
	if !own {
		return nil
	}
	return lines
}

// locale is the one of args[i], else of the evaluation.
func (r *run) locale(args []any, i int) (*locale, error) {
	if v := arg(args, i); !isEmpty(v) {
		return localeOf(Text(v))
	}
	return localeOf(r.env.Locale)
}

// localized writes the digits of s as l does.
func (l *locale) localized(s string) string {
	if l.Digits == "" {
		return s
	}
	digits := []rune(l.Digits)
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return digits[r-'0']
		}
		return r
	}, s)
}
