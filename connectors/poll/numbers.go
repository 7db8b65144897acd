package poll

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Numbers says which columns of a table are numbers, and how they are written
// there. All other cells are texts, as they stand.
type Numbers struct {
	Locale  string         `yaml:"locale"`  // as in "de-DE", where 1.234,56 is a number
	Columns config.Strings `yaml:"columns"` // an empty cell of them is null
}

func (n Numbers) problems() (list problem.List) {
	switch {
	case n.Locale == "" && len(n.Columns) == 0:
		return nil
	case n.Locale == "":
		return problem.List{problem.New(problem.Invalid, "numbers need the locale that they are written in").
			At("numbers.locale").WithHint("as in de-DE for 1.234,56 or en for 1,234.56")}
	case len(n.Columns) == 0:
		list = append(list, problem.New(problem.Invalid, "numbers need the columns that have them").
			At("numbers.columns").WithHint("as in columns: [price, stock]"))
	}
	if _, err := parseNumberForm(n.Locale); err != nil {
		list = append(list, err.At("numbers.locale"))
	}
	return list
}

// numberColumns are the columns of one header that are numbers.
type numberColumns struct {
	form    numberForm
	columns []string
	missing []string // are not in the header
}

func (n Numbers) in(header []string) (numberColumns, error) {
	var c numberColumns
	if len(n.Columns) == 0 {
		return c, nil
	}
	form, invalid := parseNumberForm(n.Locale)
	if invalid != nil {
		return c, invalid
	}
	c.form = form
	for _, column := range n.Columns {
		if slices.Contains(header, column) {
			c.columns = append(c.columns, column)
		} else {
			c.missing = append(c.missing, column)
		}
	}
	return c, nil
}

// read makes numbers of the values of e, or says why one can't be, and takes it away.
func (c numberColumns) read(e Element) (first *connectors.Fault) {
	for _, column := range c.columns {
		cell, _ := e.Values[column].(string)
		if strings.TrimSpace(cell) == "" {
			e.Values[column] = nil
			continue
		}
		n, ok := c.form.parse(cell)
		if !ok {
			first = cmp.Or(first, fault(e.Position, BadRecord, "%s %.40q is not a number as %s writes it, as in %s", column, cell, c.form.locale, c.form.sample))
			delete(e.Values, column)
			continue
		}
		e.Values[column] = n
	}
	return first
}

// A numberForm is how a locale writes numbers.
type numberForm struct {
	locale, sample string
	group, decimal rune
	zero           rune // its digits are ten from here; those of ASCII are always read
	last, others   int  // digits of the last group, and of those before
}

// parseNumberForm takes the form of a locale from a number that it writes.
func parseNumberForm(locale string) (numberForm, *problem.Error) {
	tag, err := language.Parse(locale)
	if err != nil {
		return numberForm{}, problem.New(problem.Invalid, "there is no locale %q: %w", locale, err).WithHint("as in de-DE, en-US or fr")
	}
	sample := message.NewPrinter(tag).Sprint(number.Decimal(123456789.5))
	runes := []rune(sample)
	whole := runes[:len(runes)-2]
	first := slices.IndexFunc(whole, isNoDigit)
	groups := strings.FieldsFunc(string(whole), isNoDigit)
	if first < 0 || len(groups) < 2 || !unicode.IsDigit(runes[0]) {
		return numberForm{}, problem.New(problem.Invalid, "numbers of the locale %q can't be read", locale).
			WithHint("name one that writes them in the same way")
	}
	return numberForm{
		locale: locale, sample: sample, zero: runes[0] - 1, group: same(whole[first]), decimal: runes[len(runes)-2],
		last: utf8.RuneCountInString(groups[len(groups)-1]), others: utf8.RuneCountInString(groups[len(groups)-2]),
	}, nil
}

func isNoDigit(r rune) bool { return !unicode.IsDigit(r) }

// same is one for the signs that people type for one another.
func same(r rune) rune {
	switch r {
	case '\u00a0', '\u202f':
		return ' '
	case '’':
		return '\''
	case '−':
		return '-'
	}
	return r
}

// parse reads a number whose groups are whole, or that has none. Half a group is
// more likely another locale's decimals than a slip.
func (f numberForm) parse(cell string) (json.Number, bool) {
	text := strings.TrimFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r) })
	var number strings.Builder
	text = strings.TrimPrefix(text, "+")
	if r, size := utf8.DecodeRuneInString(text); same(r) == '-' {
		number.WriteByte('-')
		text = text[size:]
	}
	whole, fraction, decimals := strings.Cut(text, string(f.decimal))
	whole, ok := f.ungroup(whole)
	if !ok {
		return "", false
	}
	number.WriteString(whole)
	if !decimals {
		return json.Number(number.String()), true
	}
	fraction, ok = f.digits(fraction)
	number.WriteString("." + fraction)
	return json.Number(number.String()), ok
}

// ungroup is the digits of a whole number, as JSON wants them.
func (f numberForm) ungroup(text string) (string, bool) {
	groups := strings.FieldsFunc(strings.Map(same, text), func(r rune) bool { return r == f.group })
	var all strings.Builder
	for i, g := range groups {
		digits, ok := f.digits(g)
		if !ok || len(groups) > 1 && !f.fits(len(digits), i, len(groups)) {
			return "", false
		}
		all.WriteString(digits)
	}
	if all.Len() == 0 || strings.Count(strings.Map(same, text), string(f.group)) != len(groups)-1 {
		return "", false
	}
	if number := strings.TrimLeft(all.String(), "0"); number != "" {
		return number, true
	}
	return "0", true
}

// fits reports whether group i of n may have so many digits.
func (f numberForm) fits(digits, i, n int) bool {
	switch i {
	case n - 1:
		return digits == f.last
	case 0:
		return digits <= f.others
	}
	return digits == f.others
}

// digits is text in digits of ASCII, of which it has one at least.
func (f numberForm) digits(text string) (string, bool) {
	bad := text == ""
	ascii := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= f.zero && r <= f.zero+9:
			return r - f.zero + '0'
		}
		bad = true
		return -1
	}, text)
	return ascii, !bad
}
