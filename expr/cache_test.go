package expr_test

import (
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/expr"
)

func TestCacheRemembersWhatWasCompiledAlike(t *testing.T) {
	c := expr.NewCache(3)
	compile := func(src string, o expr.Options) *expr.Program {
		t.Helper()
		p, err := c.Compile(src, o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	number := expr.Options{Names: []string{"a"}, Types: map[string]*expr.Type{"a": {Kind: expr.KindNumber}}}
	first := compile("a + 1", number)
	if compile("a + 1", number) != first {
		t.Error("compiled again")
	}
	for name, o := range map[string]expr.Options{
		"other names":  {Names: []string{"a", "b"}, Types: number.Types},
		"other types":  {Names: []string{"a"}, Types: map[string]*expr.Type{"a": {Kind: expr.KindAny}}},
		"other fields": {Names: []string{"a"}, Types: map[string]*expr.Type{"a": {Kind: expr.KindNumber, Items: &expr.Type{}}}},
		"a local":      {Names: []string{"a"}, Locals: []string{"a"}, Types: number.Types},
		"any name":     {},
	} {
		if compile("a + 1", o) == first {
			t.Errorf("%s: the same program", name)
		}
	}
	if _, err := c.Compile("b", number); err == nil {
		t.Error("an unknown name compiled")
	}
	for i := range 10 {
		if v, err := compile(fmt.Sprintf("%d + 1", i), number).Eval(nil, expr.Env{}); err != nil || expr.Text(v) != fmt.Sprint(i+1) {
			t.Errorf("%d: %v %v", i, v, err)
		}
	}
}
