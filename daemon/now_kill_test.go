package daemon

import "testing"

// A picture that was made for a caller who never got the answer is there when
// they ask again.
func TestAPictureThatWasAskedForSurvivesAKill(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	p := s.start(childCrash + "=asked.recorded:1")
	const body = `{"variables":{"title":"A"}}`
	if a, err := tryAsk(t.Context(), "POST", p.url+"/templates/card/render", body); err == nil {
		t.Errorf("a daemon that was killed answered %s", a.body)
	}
	p.mustDie("asked.recorded")
	p = s.start()
	a := ask(t, "POST", p.url+"/templates/card/render", body).must(t, 200)
	if !a.Cached {
		t.Error("the picture was made again")
	}
	ask(t, "GET", a.URL, "").must(t, 200)
}
