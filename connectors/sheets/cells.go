package sheets

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// errors that a cell may have for a value.
var errorTexts = []string{"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#ERROR!", "#SPILL!", "#CALC!"}

// failed is the error that a cell has for a value, or "": a formula that failed,
// or one that is still at it.
func failed(cell any) string {
	s, ok := cell.(string)
	if !ok {
		return ""
	}
	if s == "Loading..." || s == "Loading…" {
		return s
	}
	if !strings.HasPrefix(s, "#") {
		return ""
	}
	for _, e := range errorTexts {
		// Some are followed by their reason, as in "#REF! (…)".
		if rest, ok := strings.CutPrefix(s, e); ok && (rest == "" || strings.HasPrefix(rest, " (")) {
			return e
		}
	}
	return ""
}

// blank reports whether a cell has nothing in it that a person sees.
func blank(cell any) bool {
	s, ok := cell.(string)
	return cell == nil || ok && strings.TrimSpace(s) == ""
}

// value is a cell as it stands in a row.
func value(cell any) any {
	switch v := cell.(type) {
	case string:
		if v == "" {
			return nil
		}
		return v
	case bool:
		return v
	case float64:
		return json.Number(digits(v))
	}
	return nil
}

// digits are the shortest that mean v: a cell's number is a double, so that they
// lose nothing of it.
func digits(v float64) string {
	if math.Abs(v) >= 1e21 || v != 0 && math.Abs(v) < 1e-9 {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// text is a cell as a name, or as part of a key.
func text(cell any) string {
	switch v := cell.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return digits(v)
	}
	return ""
}
