package daemon

import (
	"strings"
	"testing"
)

// Of a caller's http source no address is inside: not that of its tokens, and not
// behind an expression. Rows of other sources are not sent on.
func TestCallersHTTPSourcesReachNothingInside(t *testing.T) {
	inside, reached := canary(t)
	s := newSite(t, "")
	s.write("pictifyd.yaml", "server: { listen: \"127.0.0.1:0\" }\ntemplates: templates\n")
	p := s.start()
	for name, c := range map[string]struct{ spec, want string }{
		"token":       {`"url":"http://93.184.215.14/rows","oauth2":{"tokenUrl":"` + inside + `/token","clientId":"a","clientSecret":"b"}`, "oauth2.token"},
		"key":         {`"url":"` + inside + `/rows/{{ key }}"`, "127.0.0.1"},
		"time":        {`"url":"` + inside + `/rows/{{ run.month }}"`, "127.0.0.1"},
		"host by key": {`"url":"http://{{ key }}/rows"`, "host"},
		"other rows":  {`"url":"http://93.184.215.14/{{ row.sku }}","forEach":"shop"`, "pictifyd.yaml"},
	} {
		text := p.mustSend(422, "POST", "/sources", `{"name":"x","kind":"http","key":"sku",`+c.spec+`}`)
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: %s, want %q in it", name, text, c.want)
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("the inside was reached %d times", n)
	}
}
