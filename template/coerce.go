package template

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// coerce is value as v's type has it. Rows from CSV are text throughout, so text
// that says a number, a boolean or JSON is taken as such where the type asks
// for it. The problem's message begins with the name of the variable.
func coerce(v *Var, value any, book addressBook) (any, *problem.Error) {
	typed, p := v.ofType(value, book)
	if p == nil {
		p = v.limits(typed)
	}
	return typed, p
}

func (v *Var) ofType(value any, book addressBook) (any, *problem.Error) {
	switch v.Type {
	case Text:
		return coerceText(v, value)
	case Number:
		if n, ok := expr.NumberText(value); ok {
			if _, ok := expr.Number(value); !ok {
				break
			}
			if value == any(n) {
				return value, nil
			}
			return n, nil
		}
	case Boolean:
		if b, ok := expr.Bool(value); ok {
			return b, nil
		}
	case Image, URL:
		return coerceAddress(v, value, book)
	case Color:
		if s, ok := value.(string); ok && isColor(s) {
			return strings.TrimSpace(s), nil
		}
	case Date:
		if s, ok := value.(string); ok {
			if _, ok := expr.Time(s, time.UTC); ok {
				return strings.TrimSpace(s), nil
			}
		}
	case Array:
		if list, ok := structured(value).([]any); ok {
			return list, nil
		}
	case Object:
		if object, ok := structured(value).(map[string]any); ok {
			return object, nil
		}
	default:
		return value, nil
	}
	return nil, wrongType(v, value)
}

// structured is value, or what it holds where it is JSON in a cell of text.
func structured(value any) any {
	s, ok := value.(string)
	if !ok {
		return value
	}
	parsed, err := expr.ParseJSON(s)
	if err != nil {
		return nil
	}
	return parsed
}

func coerceText(v *Var, value any) (any, *problem.Error) {
	switch value.(type) {
	case []any, map[string]any:
		return nil, wrongType(v, value)
	}
	s, isText := value.(string)
	if !isText {
		s = expr.Text(value)
		value = s
	}
	if v.MaxLength == 0 && v.MinLength == 0 {
		return value, nil
	}
	switch n := utf8.RuneCountInString(s); {
	case v.MaxLength > 0 && n > v.MaxLength:
		return nil, variable(v, TooLong, "%s has %d letters, more than the %d allowed", v.Name, n, v.MaxLength)
	case n < v.MinLength:
		return nil, variable(v, TooShort, "%s has %d letters, less than the %d wanted", v.Name, n, v.MinLength)
	}
	return value, nil
}

func coerceAddress(v *Var, value any, book addressBook) (any, *problem.Error) {
	s, ok := value.(string)
	if !ok {
		return nil, wrongType(v, value)
	}
	s = clean(s)
	place := inFetch
	if v.Type == URL {
		place = inLink
	}
	if strings.HasPrefix(s, "#") {
		return nil, variable(v, BadURL, "%s is %s, not an address", v.Name, quote(s))
	}
	if _, err := book.resolve(s, place); err != nil {
		return nil, variable(v, BadURL, "%s: %s", v.Name, err.Message).WithHint("%s", err.Hint)
	}
	return s, nil
}

var typeWords = map[Type]string{
	Text: "text", Number: "a number", Boolean: "true or false", Image: "an address of an image", URL: "an address",
	Color: "a color", Date: "a date", Array: "a list", Object: "an object",
}

var typeHints = map[Type]string{
	Number:  "numbers look like 129.50, without a currency or separators of thousands",
	Boolean: "write true or false, yes or no, 1 or 0",
	Color:   "colors look like #e11d48, rgb(225 29 72), oklch(0.6 0.2 15) or teal",
	Date:    "dates look like 2026-03-05 or 2026-03-05T14:00:00Z",
	Array:   `lists look like ["a", "b"]`,
	Object:  `objects look like {"a": 1}`,
}

func wrongType(v *Var, value any) *problem.Error {
	shown := quote(value)
	switch value.(type) {
	case json.Number, bool, int, float64:
		shown = expr.Text(value)
	}
	return variable(v, WrongType, "%s is %s, not %s", v.Name, shown, typeWords[v.Type]).WithHint("%s", typeHints[v.Type])
}

// variable is a problem of one variable's value.
func variable(v *Var, slug, format string, args ...any) *problem.Error {
	return problem.New(problem.Invalid, format, args...).WithSlug(slug).At("variables." + v.Name)
}

var colorSyntax = regexp.MustCompile(`^(?i:#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|` +
	`(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\(\s*[0-9a-z.,%/+ -]{1,80}\))$`)

// isColor reports whether s is a colour of CSS and nothing more.
func isColor(s string) bool {
	s = strings.TrimSpace(s)
	return colorSyntax.MatchString(s) || colorNames[strings.ToLower(s)]
}

var colorNames = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`
		aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown burlywood
		cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan darkgoldenrod darkgray
		darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen
		darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue
		firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew
		hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan
		lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray
		lightslategrey lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine mediumblue
		mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise mediumvioletred
		midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab orange orangered orchid
		palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple
		rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue
		slateblue slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white
		whitesmoke yellow yellowgreen transparent currentcolor`) {
		names[name] = true
	}
	return names
}()
