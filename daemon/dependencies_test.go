package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/file"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// An echo is a source whose rows are those of another one, told again.
type echo struct {
	connectors.Common `yaml:",inline"`

	Of string `yaml:"of"`
}

func (e *echo) Validate() error   { return nil }
func (e *echo) Sources() []string { return []string{e.Of} }

// An echoPoller tells how it was polled, and what it was refused.
type echoPoller struct {
	env   connectors.Env
	of    string
	polls *atomic.Int64
}

func (p echoPoller) Poll(ctx context.Context, _ connectors.Cursor, emit connectors.Emit) error {
	p.polls.Add(1)
	var rows []connectors.Row
	if err := p.env.RowsFunc(ctx, p.of, func(key string, values map[string]any) error {
		rows = append(rows, connectors.Row{Key: []any{key}, Values: map[string]any{"sku": key, "name": values["name"]}})
		return nil
	}); err != nil {
		return err
	}
	if err := p.env.RowsFunc(ctx, "another", nil); err == nil || !strings.Contains(err.Error(), `"another"`) {
		return fmt.Errorf("rows of a source that is not named: %w", err)
	}
	return emit(ctx, connectors.Batch{Rows: rows, Closes: &connectors.Closing{Complete: true}})
}

// echoes are the kinds of sources with that of echo.
func echoes(polls *atomic.Int64) connectors.Kinds {
	return connectors.Kinds{file.Kind, {
		Name: "echo", Config: func() connectors.Config {
			return &echo{Common: connectors.Common{Key: config.Strings{"sku"}, Every: config.Duration(3600e9)}}
		},
		New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
			if env.RowsFunc == nil {
				return nil, errors.New("there are no rows of other sources")
			}
			return echoPoller{env, cfg.(*echo).Of, polls}, nil
		},
	}}
}

func TestDependentSourceFollowsTheOneThatItReads(t *testing.T) {
	s := newSite(t, "")
	var polls atomic.Int64
	settings, err := decode("pictifyd.yaml", []byte(s.read("pictifyd.yaml")+`
sources:
  brands: { kind: file, path: brands.csv, key: id, every: 1h }
  told: { kind: echo, of: brands }
bindings: [ { name: cards, source: told, template: card, map: { title: name }, public: true, guard: { max_changed: 100% } } ]
`), config.Options{Dir: s.dir}, echoes(&polls), Sinks())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	null := &rendertest.Null{}
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, settings, Options{Log: quiet(t), Renderer: null, Listening: func(a net.Addr) { listening <- a }})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var p *process
	select {
	case addr := <-listening:
		p = &process{tb: t, url: "http://" + addr.String()}
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	eventually(t, "it says for what it waits", func() bool {
		return strings.Contains(p.text("/sources/told"), "brands\\\", whose rows it needs")
	})
	if n := polls.Load(); n != 0 {
		t.Errorf("it was read %d times before the source that it reads", n)
	}
	if v := p.mustEnd(p.askRun("cards", ""), "failed"); !strings.Contains(v.Run.Error, `"brands", whose rows it needs`) {
		t.Errorf("a run before that is %+v", v)
	}
	s.write("brands.csv", twoBrands)
	eventually(t, "its images", func() bool { return p.ready("cards") == 2 })
	if v := p.binding("cards"); v.Error != "" {
		t.Errorf("the binding says %q", v.Error)
	}
	was, before := p.picture("/b/cards/x.png"), polls.Load()
	s.write("brands.csv", strings.Replace(twoBrands, "Acme", "Acme & Co", 1))
	eventually(t, "the changed image", func() bool { return p.ready("cards") == 2 && p.picture("/b/cards/x.png") != was })
	if null.Count() != 3 {
		t.Errorf("%d pictures were made, want 3", null.Count())
	}
	if n := polls.Load() - before; n < 1 || n > 2 {
		t.Errorf("one change was %d readings", n)
	}
	// Bytes that say the same are no change.
	before = polls.Load()
	s.write("brands.csv", strings.Replace(twoBrands, "Acme", `"Acme & Co"`, 1))
	s.write("brands.csv", strings.Replace(twoBrands, "Acme", "Acme & Sons", 1))
	eventually(t, "the next change", func() bool { return p.picture("/b/cards/x.png") != was && null.Count() == 4 })
	if n := polls.Load() - before; n > 2 {
		t.Errorf("one change was %d readings", n)
	}
	res, err := http.Get(p.url + "/sources/told")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the source answers %d", res.StatusCode)
	}
}

func TestDependenciesOfSourcesAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"one after the other": {`a: { kind: echo, of: b }
  b: { kind: echo, of: c }
  c: { kind: file, path: c.csv, key: id }`, nil},
		"a source that there is not": {`a: { kind: echo, of: bands }
  brands: { kind: file, path: c.csv, key: id }`, []string{`2:24: sources.a.of: there is no source "bands" (did you mean "brands"?)`}},
		"and none like it": {`a: { kind: echo, of: elsewhere }`, []string{`2:24: sources.a.of: there is no source "elsewhere" (add it under sources:)`}},
		"itself":           {`a: { kind: echo, of: a }`, []string{`2:24: sources.a.of: the sources read each other's rows: a → a (let one of them be read by itself)`}},
		"a circle, told once": {`a: { kind: echo, of: b }
  b: { kind: echo, of: c }
  c: { kind: echo, of: b }`, []string{`3:24: sources.b.of: the sources read each other's rows: b → c → b (let one of them be read by itself)`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode("pictifyd.yaml", []byte("sources:\n  "+c.yaml+"\n"), config.Options{Dir: t.TempDir()}, echoes(nil), Sinks())
			var got []string
			for _, p := range problemsOf(err) {
				got = append(got, strings.TrimPrefix(p.Error(), "pictifyd.yaml:"))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckNamesWhatIsWrongWithLookups(t *testing.T) {
	s := newSite(t, `
sources:
  products: { kind: file, path: products.csv, key: sku }
  brands: { kind: file, path: brands.csv, key: id }
bindings:
  - name: cards
    source: products
    template: card
    where: brnad.active
    lookups:
      brand: { source: bands, key: brand_id }
      maker: { source: brands, key: owner.id }
      owner: { source: brands, key: maker.id }
    map: { title: brand.name }
`)
	_, err := Check(s.dir + "/pictifyd.yaml")
	var got []string
	for _, p := range problem.All(err) {
		got = append(got, fmt.Sprintf("%d: %s: %s (%s)", p.Pos.Line, p.Path, p.Message, p.Hint))
	}
	line := 1 + strings.Count(s.read("pictifyd.yaml")[:strings.Index(s.read("pictifyd.yaml"), "where:")], "\n")
	want := []string{
		fmt.Sprintf(`%d: bindings[0].lookups.brand.source: there is no source "bands" (did you mean "brands"?)`, line+2),
		fmt.Sprintf(`%d: bindings[0].lookups.maker.key: the lookups need each other: maker → owner → maker (let one of the keys read columns of the row only)`, line+3),
		fmt.Sprintf(`%d: bindings[0].where: there is no lookup "brnad" (did you mean "brand"? A column of that name is $env["brnad"])`, line),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
