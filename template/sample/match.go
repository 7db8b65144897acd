package sample

import (
	"slices"
	"strings"
	"unicode"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template"
)

// Why a column is proposed for a variable.
const (
	SameName    = "same"
	SimilarName = "similar" // but for case, signs, or more words
	OnlyOne     = "type"    // the only column of the variable's type
)

// A Match is the column that a variable may take its value from.
type Match struct {
	Column     string `json:"column"`
	Expression string `json:"expression"`
	Why        string `json:"why"` // same, similar or type
}

// Matches proposes a column for each variable, by name and by type; a column is
// proposed once. Variables without one are not in it.
func Matches(vars []template.Var, columns []Column) map[string]Match {
	found, taken := map[string]Match{}, map[string]bool{}
	take := func(why string, fits func(v template.Var, c Column) bool) {
		for _, v := range vars {
			if _, has := found[v.Name]; has {
				continue
			}
			i := slices.IndexFunc(columns, func(c Column) bool { return !taken[c.Name] && fits(v, c) })
			if i >= 0 {
				taken[columns[i].Name] = true
				found[v.Name] = Match{columns[i].Name, expr.Reference(columns[i].Name), why}
			}
		}
	}
	take(SameName, func(v template.Var, c Column) bool { return v.Name == c.Name })
	take(SimilarName, func(v template.Var, c Column) bool { return plainName(v.Name) == plainName(c.Name) })
	take(SimilarName, func(v template.Var, c Column) bool {
		return mayShow(v, c) && within(wordsOf(v.Name), wordsOf(c.Name))
	})
	take(SimilarName, func(v template.Var, c Column) bool {
		return mayShow(v, c) && expr.Nearest(v.Name, []string{c.Name}) != ""
	})
	take(OnlyOne, func(v template.Var, c Column) bool {
		if ColumnType(v.Type) != c.Type || !slices.Contains([]template.Type{template.Image, template.Date, template.Color}, v.Type) {
			return false
		}
		return count(columns, func(o Column) bool { return o.Type == c.Type }) == 1 && countVars(vars, v.Type) == 1
	})
	return found
}

func count(columns []Column, is func(Column) bool) (n int) {
	for _, c := range columns {
		if is(c) {
			n++
		}
	}
	return n
}

func countVars(vars []template.Var, t template.Type) (n int) {
	for _, v := range vars {
		if v.Type == t {
			n++
		}
	}
	return n
}

// mayShow reports whether a column may hold values of a variable's type.
func mayShow(v template.Var, c Column) bool {
	switch v.Type {
	case template.Number, template.Boolean, template.Date, template.Color, template.Object:
		return c.Type == ColumnType(v.Type) || c.Type == EmptyColumn
	case template.Image, template.URL:
		return c.Type == ColumnType(template.Image) || c.Type == ColumnType(template.URL) || c.Type == EmptyColumn
	case template.Array:
		return c.Type == ColumnType(template.Array) || c.Type == EmptyColumn
	case template.Text:
		return c.Type != ColumnType(template.Array) && c.Type != ColumnType(template.Object)
	}
	return true
}

// wordsOf are the words of a name, in small letters: productTitle has two.
func wordsOf(name string) []string {
	var spaced strings.Builder
	lower := false
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = ' '
		} else if lower && unicode.IsUpper(r) {
			spaced.WriteRune(' ')
		}
		lower = unicode.IsLower(r)
		spaced.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(spaced.String())
}

func plainName(name string) string { return strings.Join(wordsOf(name), "") }

// within reports whether all words are among others.
func within(words, others []string) bool {
	return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(others, w) })
}
