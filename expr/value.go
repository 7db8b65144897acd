package expr

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// isNumberText reports whether s is a number in JSON's syntax. What else looks
// like one to a person ("007", "1,299", "+5") is an article code or ambiguous,
// and stays text.
func isNumberText(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := leadingDigits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if strings.HasPrefix(s, ".") {
		fraction := leadingDigits(s[1:])
		if fraction == 0 {
			return false
		}
		s = s[1+fraction:]
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	return s != "" && leadingDigits(s) == len(s)
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// maxNumber is how long a text may be, in bytes, and still be a number.
const maxNumber = 400

// NumberText is the number that v stands for, as it was written: v is a number,
// or text that is one JSON number with optional spaces around it.
func NumberText(v any) (json.Number, bool) {
	switch v := v.(type) {
	case json.Number:
		return v, true
	case string:
		if len(v) > maxNumber {
			return "", false
		}
		s := strings.TrimSpace(v)
		if !isNumberText(s) {
			return "", false
		}
		return json.Number(s), true
	case int:
		return json.Number(strconv.Itoa(v)), true
	case float64:
		return json.Number(floatText(v)), true
	}
	return "", false
}

// Number is v as a number; ok is false when v is neither a number nor text that
// is one, or is too large.
func Number(v any) (f float64, ok bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsInf(v, 0) && !math.IsNaN(v)
	case int:
		return float64(v), true
	}
	s, ok := NumberText(v)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(s), 64)
	return f, err == nil
}

// isNumber reports whether v is a number by type, not by its look.
func isNumber(v any) bool {
	switch v.(type) {
	case json.Number, int, float64:
		return true
	}
	return false
}

// Bool is v as a boolean: true or false itself, or a text or number that says
// so ("true", "false", "1", "0", "yes", "no", in any case).
func Bool(v any) (b, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string, json.Number, int, float64:
		s := Text(v)
		if len(s) > maxNumber {
			return false, false
		}
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "1", "yes":
			return true, true
		case "false", "0", "no":
			return false, true
		}
	}
	return false, false
}

// Truthy reports whether v counts as true in a condition. False are nothing, "",
// zero, empty lists and objects, and the texts that say false: "false", "0", "no".
func Truthy(v any) bool {
	if b, ok := Bool(v); ok {
		return b
	}
	if f, ok := Number(v); ok {
		return f != 0
	}
	return !isEmpty(v)
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// Text is how v prints in text: nothing for nil, the digits of a number as they
// were written, lists joined by ", ", objects as JSON.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return floatText(v)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = Text(item)
		}
		return strings.Join(parts, ", ")
	}
	text, err := jsonText(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return text
}

func jsonText(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// exactInt is the first whole number of which a float cannot tell its neighbours.
const exactInt = 1 << 53

// floatText is the shortest text of f without an exponent. Fractions have at
// most 15 significant digits: what a float keeps of any decimal.
func floatText(f float64) string {
	if f == 0 {
		return "0" // also for minus zero
	}
	if f == math.Trunc(f) && math.Abs(f) < exactInt {
		return strconv.FormatInt(int64(f), 10)
	}
	if short := strconv.FormatFloat(f, 'g', 15, 64); !math.IsInf(f, 0) && !math.IsNaN(f) {
		f, _ = strconv.ParseFloat(short, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// quote shows v in a message, cut so that a long text stays readable.
func quote(v any) string {
	s := Text(v)
	if runes := []rune(s); len(runes) > 40 {
		s = string(runes[:40]) + "…"
	}
	switch v.(type) {
	case json.Number, int, float64, bool:
		return s
	}
	return strconv.Quote(s)
}
