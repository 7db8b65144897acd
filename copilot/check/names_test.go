package check

import "testing"

func TestCopiesHaveTheNameOfWhatIsRepeated(t *testing.T) {
	n := namesOf([]byte(`<section class="p-page" id="p"><div id="line" p-role="body"><b id="cell">x</b></div><i id="other--1">y</i></section>`))
	for name, want := range map[string]string{
		"line": "line", "line--2": "line", "line--2 > b": "line > b", "line--2--0": "line", "cell--2--0": "cell", "other--1": "other--1", "gone--1": "gone--1", "": "", "b": "b", "line--x": "line--x",
	} {
		if got := n.layer(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if n.role("line--3") != "body" || n.role("gone") != "" {
		t.Errorf("roles are %v", n)
	}
}
