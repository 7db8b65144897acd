package httppoll_test

import (
	"testing"

	httppoll "github.com/pictifyd/pictifyd/connectors/http"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func oneConfig(url string) *httppoll.Config {
	cfg := newConfig(url)
	cfg.Key, cfg.One = nil, "current"
	return cfg
}

func TestAnswerThatIsOneObjectIsOneRow(t *testing.T) {
	s := newServer(t, answers("application/json", ` {"title":"Mug","variants":[{"price":14.90}]} `))
	r := mustPoll(t, newPoller(t, oneConfig(s.URL)), nil)
	if len(r.Rows) != 1 || r.Rows[0].Key[0] != "current" || r.Rows[0].Values["title"] != "Mug" {
		t.Errorf("rows are %+v, want the one", r.Rows)
	}
	if again := mustPoll(t, newPoller(t, oneConfig(s.URL)), r.Closing.Cursor); !again.Closing.Unchanged {
		t.Errorf("the same answer closes with %+v, want unchanged", again.Closing)
	}
}

func TestAnswerThatIsNotOneObjectIsAnError(t *testing.T) {
	for name, body := range map[string]string{
		"list": `[{"id":1}]`, "null": "null", "two": `{"a":1} {"a":2}`, "half": `{"a":`, "HTML": "<html>", "text": `"a"`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, answers("application/json", body))
			if r, _ := mustFail(t, newPoller(t, oneConfig(s.URL))); r.Batches > 0 {
				t.Errorf("%d batches", r.Batches)
			}
		})
	}
}

func TestOneTakesThePlaceOfKeyAndRows(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*httppoll.Config)
		path   string
	}{
		"with a key": {func(c *httppoll.Config) { c.Key = []string{"id"} }, "key"},
		"with rows":  {func(c *httppoll.Config) { c.Rows = "$.items" }, "rows"},
		"as CSV":     {func(c *httppoll.Config) { c.Format = "csv" }, "format"},
	} {
		cfg := oneConfig("http://shop.example/")
		c.change(cfg)
		all := problem.All(cfg.Validate())
		if len(all) != 1 || all[0].Path != c.path {
			t.Errorf("%s: problems %v, want one at %s", name, all, c.path)
		}
	}
	if err := oneConfig("http://shop.example/").Validate(); err != nil {
		t.Errorf("one alone: %v", err)
	}
}
