package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	editing "github.com/pictifyd/pictifyd/template/edit"
)

const poster = `<!doctype html>
<html lang="en">
<head>
<script type="application/json" id="p-template">
{
  "name": "poster",
  "sizes": { "default": { "w": 300, "h": 200 }, "story": { "w": 200, "h": 400 } },
  "vars": { "title": { "type": "text", "example": "Hello" }, "price": { "type": "number", "example": 2 }, "photo": { "type": "image" } }
}
</script>
<style id="p-tokens">
  :root { --ink: #111; }
  :root[data-theme="dark"] { --ink: #eee; }
</style>
<style id="p-size-story">
  #title { top: 90px; }
</style>
</head>
<body>
<section id="page" class="p-page">
  <h1 id="title" style="left: 10px; top: 20px; color: var(--ink)">é😀 {{ title }}</h1>
  <p id="price">{{ price * 2 }}</p>
  <img id="photo" p-src="{{ photo }}" p-onerror="hide" alt="" style="left: 0">
  <div id="both" class="p-group"><i id="a">a</i><i id="b">b</i></div>
</section>
</body>
</html>
`

// An atelier is a server with one template, whose drafts are changed by the real
// operations.
type atelier struct {
	*Server
	t     testing.TB
	world *world
	text  string // the source that it has
	rev   int64
}

func newAtelier(t testing.TB, cfg Config, source string) *atelier {
	t.Helper()
	w := newWorld()
	w.ledger.Add(template.Version{Name: "poster", Source: []byte(source)})
	deps := w.deps()
	deps.Desk = &draft.Desk{
		Ledger: w.ledger, ConflictsFunc: editing.Conflicts,
		ApplyFunc: func(src []byte, raw []json.RawMessage) (draft.Result, error) {
			list, err := json.Marshal(raw)
			if err != nil {
				return draft.Result{}, err
			}
			ops, err := editing.Decode(list)
			if err != nil {
				return draft.Result{}, err
			}
			made, err := editing.Apply(src, ops)
			return draft.Result{Source: made.Source, Touched: made.Touched, Inverse: rawOps(t, made.Inverse)}, err
		},
		CheckFunc: func(name string, src []byte, assets map[string]string) error {
			_, err := template.ParseCanvas(name, src, assets)
			return err
		},
		HasFileFunc: func(ctx context.Context, digest string) error {
			_, _, err := w.shownFiles.Open(ctx, digest)
			return err
		},
		DiffFunc: func(before, after []byte) ([]json.RawMessage, error) {
			ops, err := editing.Diff(before, after)
			return rawOps(t, ops), err
		},
	}
	s, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return &atelier{Server: s, t: t, world: w, text: source, rev: 1}
}

func rawOps(t testing.TB, ops []editing.Op) []json.RawMessage {
	t.Helper()
	list := make([]json.RawMessage, len(ops))
	for i, op := range ops {
		raw, err := json.Marshal(op)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = raw
	}
	return list
}

func (s *atelier) tree() treeView {
	s.t.Helper()
	return mustAnswer[treeView](s.t, get("/templates/poster/draft/tree").to(s.t, s.Server), 200)
}

func (s *atelier) view(order string) canvasView {
	s.t.Helper()
	return mustAnswer[canvasView](s.t, post("/templates/poster/draft/view", order).to(s.t, s.Server), 200)
}

func (s *atelier) change(ops string) call {
	return call{method: http.MethodPatch, path: "/templates/poster/draft", body: fmt.Sprintf(`{"ops": %s, "author": "Ada", "view": {}}`, ops)}.
		with("If-Match", fmt.Sprintf(`"%d"`, s.rev))
}

func (s *atelier) patch(ops string) editedView {
	s.t.Helper()
	v := mustAnswer[editedView](s.t, s.change(ops).to(s.t, s.Server), 200)
	s.rev = v.Revision
	return v
}

func seen(nodes []editing.Seen) (addresses []string) {
	for _, n := range nodes {
		addresses = append(addresses, n.Address)
	}
	return addresses
}

func redrawn(nodes []template.Redrawn) (marks []string) {
	for _, n := range nodes {
		marks = append(marks, n.Node)
	}
	return marks
}

func TestTreeOfADraft(t *testing.T) {
	s := newAtelier(t, open(), poster)
	v := s.tree()
	if v.Source != poster || v.Revision != 1 || v.Open || v.Manifest.Name != "poster" || len(v.Manifest.Sizes) != 2 || len(v.Manifest.Variables) != 3 {
		t.Errorf("%+v", v)
	}
	if diff := cmp.Diff([]string{"page", "title", "price", "photo", "both", "a", "b"}, seen(v.Nodes)); diff != "" {
		t.Fatal(diff)
	}
	title := v.Nodes[1]
	if title.Kind != "text" || title.Parent != "page" || title.Overrides["story"]["top"] != "90px" || title.Style["left"] != "10px" || title.Text != "é😀 {{ title }}" {
		t.Errorf("%+v", title)
	}
	for _, n := range v.Nodes {
		for _, b := range n.Bindings {
			if got := utf16Slice(v.Source, b.Span); got != b.Expression && b.Place != "src" {
				t.Errorf("%s %s: %q stands there", n.Address, b.Place, got)
			}
		}
		if got := utf16Slice(v.Source, n.Span); !strings.HasPrefix(got, "<"+n.Tag) || !strings.HasSuffix(got, ">") {
			t.Errorf("%s is %q", n.Address, got)
		}
	}
	if diff := cmp.Diff([]editing.ThemeTokens{{Tokens: []editing.Token{{Name: "ink", Value: "#111"}}}, {Theme: "dark", Tokens: []editing.Token{{Name: "ink", Value: "#eee"}}}}, v.Tokens); diff != "" {
		t.Error(diff)
	}
}

func TestViewOfADraft(t *testing.T) {
	s := newAtelier(t, open(), poster)
	v := s.view(`{"size": "story", "theme": "dark", "variables": {"title": "<b>Shoe", "price": 3, "photo": "https://x.example/a.png?b=1&c=2"}}`)
	for _, want := range []string{`data-theme="dark"`, `data-p-node="title"`, "é😀 &lt;b&gt;Shoe", ">6</p>", "top: 90px !important", `src="/studio/remote?at=`, `data-p-onerror="hide"`} {
		if !strings.Contains(v.HTML, want) {
			t.Errorf("%s is missing in\n%s", want, v.HTML)
		}
	}
	if v.Width != 200 || v.Height != 400 || v.Pages != 1 || v.Values["price text"].Value != "6" || len(v.Problems) != 0 {
		t.Errorf("%+v", v)
	}
	plain := s.view(`{}`)
	if plain.Row.Variables["title"] != "Hello" || plain.Size != "default" || len(plain.Problems) != 1 || plain.Problems[0].Level != "warning" {
		t.Errorf("%+v", plain)
	}
	mustProblem(t, post("/templates/poster/draft/view", `{"size": "wide"}`).to(t, s.Server), 422, "size_not_found")
	mustProblem(t, post("/templates/poster/draft/view", `{"binding": "none"}`).to(t, s.Server), 404, "binding_not_found")
}

func TestAnEditSendsOnlyWhatChanged(t *testing.T) {
	s := newAtelier(t, open(), poster)
	for name, c := range map[string]struct {
		ops         string
		nodes, tree []string
		whole       bool
	}{
		"a place":      {`[{"op":"set_box","id":"title","box":{"left":33.333,"rotate":-4}}]`, []string{"title"}, []string{"title"}, false},
		"in a size":    {`[{"op":"set_box","id":"title","size":"story","box":{"left":5}}]`, nil, []string{"title"}, false},
		"a text":       {`[{"op":"set_text","id":"a","text":"😀😀"}]`, []string{"a"}, []string{"a"}, false},
		"an order":     {`[{"op":"move_node","id":"b","index":0}]`, []string{"both"}, []string{"both", "b", "a"}, false},
		"a token":      {`[{"op":"set_token","name":"ink","value":"red"}]`, []string{"p-tokens"}, nil, false},
		"a binding":    {`[{"op":"set_binding","id":"price","target":"text","expr":"price + 1"}]`, []string{"price"}, []string{"price"}, false},
		"a size":       {`[{"op":"set_size","name":"default","w":500}]`, nil, nil, true},
		"a new layer":  {`[{"op":"add_node","parent":"both","node":{"tag":"p","id":"new","text":"x"}}]`, []string{"both"}, []string{"both", "new"}, false},
		"a name alone": {`[{"op":"set_attr","id":"a","name":"p-name","value":"The a"}]`, nil, []string{"a"}, false},
	} {
		before := s.tree()
		v := s.patch(c.ops)
		if diff := cmp.Diff(c.nodes, redrawn(v.View.Nodes)); diff != "" || (v.View.HTML != "") != c.whole {
			t.Errorf("%s: drawn anew (whole: %v) %s", name, v.View.HTML != "", diff)
		}
		if diff := cmp.Diff(c.tree, seen(v.Tree.Nodes)); diff != "" || v.Tree.All {
			t.Errorf("%s: the tree %s", name, diff)
		}
		after := s.tree()
		if got := spliced(before.Source, v.Source); got != after.Source {
			t.Errorf("%s: the text becomes %s", name, cmp.Diff(after.Source, got))
		}
		if diff := cmp.Diff(after.Nodes, grown(before.Nodes, v)); diff != "" {
			t.Errorf("%s: the tree becomes %s", name, diff)
		}
		undone := s.patch(string(mustJSON(t, v.Inverse)))
		if got := s.tree(); got.Source != before.Source {
			t.Errorf("%s: undone it is\n%s", name, got.Source)
		}
		if undone.View.HTML == "" && len(undone.View.Nodes) != len(c.nodes) {
			t.Errorf("%s: undone %v", name, redrawn(undone.View.Nodes))
		}
	}
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestABrokenExpressionChangesNothingAndIsShownAtItsPlace(t *testing.T) {
	s := newAtelier(t, open(), poster)
	d := mustProblem(t, s.change(`[{"op":"set_text","id":"title","text":"x"},{"op":"set_binding","id":"price","target":"text","expr":"price * nome"}]`).to(t, s.Server), 422, "unknown_variable")
	if len(d.Errors) != 1 {
		t.Fatalf("%+v", d.Errors)
	}
	e := d.Errors[0]
	if e.Node != "price" || e.Place != "text" || e.Expression != "price * nome" || e.Expression[e.From:e.To] != "nome" || e.Line == 0 {
		t.Errorf("%+v", e)
	}
	if got := s.tree(); got.Revision != 1 || got.Source != poster {
		t.Errorf("it is revision %d", got.Revision)
	}
}

func TestAnExpressionThatFailsForTheRowKeepsItsLastGoodValue(t *testing.T) {
	s := newAtelier(t, open(), poster)
	v := s.patch(`[{"op":"set_binding","id":"price","target":"text","expr":"1 / (price - 2)"}]`)
	got := v.View.Values["price text"]
	if got.Value != "4" || !got.Kept || got.Error == nil || len(v.View.Nodes) != 0 || len(v.View.Problems) != 2 {
		t.Errorf("%+v %+v", got, v.View)
	}
}

func TestATextThatSomebodyTypedIsOperations(t *testing.T) {
	s := newAtelier(t, open(), poster)
	put := func(html string, revision int64) call {
		return call{method: http.MethodPut, path: "/templates/poster/draft/source", body: string(mustJSON(t, map[string]any{"html": html, "view": map[string]any{}}))}.
			with("If-Match", fmt.Sprintf(`"%d"`, revision))
	}
	changed := strings.NewReplacer("left: 10px", "left: 11px", "price * 2", "price * 3").Replace(poster)
	v := mustAnswer[editedView](t, put(changed, 1).to(t, s.Server), 200)
	var kinds []string
	for _, raw := range v.Ops {
		var op struct{ Op string }
		if err := json.Unmarshal(raw, &op); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, op.Op)
	}
	if diff := cmp.Diff([]string{"set_style", "set_text"}, kinds); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"title", "price"}, redrawn(v.View.Nodes)); diff != "" || s.tree().Source != changed {
		t.Error(diff)
	}
	mustProblem(t, put(poster, 1).to(t, s.Server), 412, draft.StaleRevision)
	bad := mustProblem(t, put(strings.Replace(changed, "price * 3", "price * ", 1), 2).to(t, s.Server), 422, template.BadExpression)
	if len(bad.Errors) == 0 || bad.Errors[0].Node != "price" || bad.Errors[0].Line == 0 {
		t.Errorf("%+v", bad)
	}
	if same := mustAnswer[editedView](t, put(changed, 2).to(t, s.Server), 200); same.Revision != 2 || same.Source != nil || len(same.Ops) != 0 {
		t.Errorf("%+v", same)
	}
	s.rev = 2
	s.patch(string(mustJSON(t, v.Inverse)))
	if got := s.tree().Source; got != poster {
		t.Error(cmp.Diff(poster, got))
	}
}

func TestATextThatIsSentAgainIsTakenOnce(t *testing.T) {
	s := newAtelier(t, open(), poster)
	body := string(mustJSON(t, map[string]any{"html": strings.Replace(poster, "left: 10px", "left: 11px", 1)}))
	c := call{method: http.MethodPut, path: "/templates/poster/draft/source", body: body}.with("If-Match", `"1"`).with("Idempotency-Key", "e1")
	for range 2 { // the second time because the first answer was lost
		if v := mustAnswer[editedView](t, c.to(t, s.Server), 200); v.Revision != 2 || len(v.Ops) != 1 {
			t.Errorf("revision %d, %d operations", v.Revision, len(v.Ops))
		}
	}
}

func TestARebasedEditSendsEverything(t *testing.T) {
	s := newAtelier(t, open(), poster)
	s.patch(`[{"op":"set_text","id":"a","text":"theirs"}]`)
	s.rev = 1
	v := s.patch(`[{"op":"set_text","id":"b","text":"yours"}]`)
	if !v.Rebased || !v.Tree.All || v.View.HTML == "" || v.Source.To != nil || v.Source.Text != s.tree().Source || len(v.Between) != 1 {
		t.Errorf("%+v", v)
	}
}

func pictureOf(t testing.TB, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFilesOfADraft(t *testing.T) {
	s := newAtelier(t, open(), poster)
	path := "/templates/poster/draft/assets/"
	send := func(method, file string, body []byte) call {
		return call{method: method, path: path + file, body: string(body)}.with("If-Match", fmt.Sprintf(`"%d"`, s.rev))
	}
	up := mustAnswer[assetStep](t, send(http.MethodPut, "logo.png", pictureOf(t, 2)).to(t, s.Server), 200)
	s.rev = up.Revision
	if up.Asset.ContentType != "image/png" || up.Asset.Path != "assets/logo.png" || up.Asset.Size == 0 {
		t.Errorf("%+v", up.Asset)
	}
	out := get(up.Asset.URL).to(t, s.Server)
	if out.Code != 200 || out.Body.String() != string(pictureOf(t, 2)) || !strings.Contains(out.Header().Get("Content-Security-Policy"), "sandbox") || !strings.Contains(out.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", out.Code, out.Header())
	}
	s.patch(`[{"op":"set_attr","id":"photo","name":"p-fallback","value":"assets/logo.png"},{"op":"set_attr","id":"photo","name":"p-onerror","value":"fallback"}]`)
	if v := s.view(`{}`); !strings.Contains(v.HTML, `src="`+up.Asset.URL+`"`) {
		t.Errorf("the fallback is not shown:\n%s", v.HTML)
	}
	mustProblem(t, send(http.MethodDelete, "logo.png", nil).to(t, s.Server), 422, template.MissingAsset)
	mustProblem(t, send(http.MethodPut, "x.png", []byte("<script>")).to(t, s.Server), 415, "unsupported")
	mustProblem(t, send(http.MethodPut, "%2e%2e/x.png", pictureOf(t, 1)).to(t, s.Server), 422, "invalid")
	all := mustAnswer[draftAssetList](t, get(path[:len(path)-1]).to(t, s.Server), 200)
	if len(all.Assets) != 1 {
		t.Errorf("%+v", all)
	}
	gone := s.patch(`[{"op":"set_attr","id":"photo","name":"p-fallback","value":null},{"op":"set_attr","id":"photo","name":"p-onerror","value":"hide"},{"op":"set_asset","path":"assets/logo.png","digest":null}]`)
	if len(gone.Tree.Assets) != 0 || len(s.tree().Assets) != 0 {
		t.Errorf("%+v", gone.Tree.Assets)
	}
	s.patch(string(mustJSON(t, gone.Inverse)))
	if got := s.tree(); got.Assets["assets/logo.png"] != up.Asset.Digest || !strings.Contains(got.Source, "assets/logo.png") {
		t.Errorf("%+v", got.Assets)
	}
	d := mustProblem(t, s.change(`[{"op":"set_text","id":"a","text":"x"},{"op":"set_asset","path":"assets/y.png","digest":"`+strings.Repeat("0", 64)+`"}]`).to(t, s.Server), 422, draft.FileGone)
	if d.Hint == "" {
		t.Errorf("%+v", d)
	}
	mustProblem(t, s.change(`[{"op":"set_asset","path":"../y.png","digest":null}]`).to(t, s.Server), 422, "invalid")
}

func TestRemotePicturesAreOnlyThoseOfDrawings(t *testing.T) {
	s := newAtelier(t, locked(), poster)
	s.world.shownFiles.pins = map[string]string{}
	digest := s.world.shownFiles.keep(pictureOf(t, 3))
	const address = "https://x.example/a.png?b=1&c=2"
	s.world.shownFiles.pins[address] = digest
	out := post("/templates/poster/draft/view", string(mustJSON(t, map[string]any{"variables": map[string]any{"photo": address}}))).bearer(fullKey).to(t, s.Server)
	v := mustAnswer[canvasView](t, out, 200)
	_, rest, _ := strings.Cut(v.HTML, `src="/studio/remote`)
	link, _, _ := strings.Cut(rest, `"`)
	link = remotePlace + link
	if got := get(link).bearer(fullKey).to(t, s.Server); got.Code != 200 || got.Body.String() != string(pictureOf(t, 3)) || got.Header().Get("Content-Type") != "image/png" {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	mustProblem(t, get(link).to(t, s.Server), 401, slugNoKey)
	s.world.shownFiles.pins[address] = ""
	mustProblem(t, get(link).bearer(fullKey).to(t, s.Server), 404, assets.FetchFailed)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	sig, _, _ := strings.Cut(u.Query().Get("at"), ".")
	for _, at := range []string{"", sig + ".aHR0cHM6Ly9vdGhlci5leGFtcGxl", ".x", sig} {
		mustProblem(t, get(remotePlace+"?at="+url.QueryEscape(at)).bearer(fullKey).to(t, s.Server), 403, "bad_signature")
	}
	if len(s.world.shownFiles.asked) != 2 {
		t.Errorf("asked for %v", s.world.shownFiles.asked)
	}
}

func TestAViewOfABindingsRowNeedsTheScopeOfRows(t *testing.T) {
	cfg := locked(Key{Key: config.NewSecret("for-templates"), Name: "designer", Scopes: []Scope{TemplatesRead}})
	s := newAtelier(t, cfg, poster)
	mustProblem(t, post("/templates/poster/draft/view", `{"binding": "cards"}`).bearer("for-templates").to(t, s.Server), 403, slugScope)
	mustAnswer[canvasView](t, post("/templates/poster/draft/view", `{}`).bearer("for-templates").to(t, s.Server), 200)
}

func TestTheFrameRunsNothing(t *testing.T) {
	out := get("/studio/frame").to(t, mustServer(t, locked(), newWorld()))
	policy := out.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'none'", "frame-ancestors 'self'", "form-action 'none'", "base-uri 'none'", "img-src 'self' data:", "font-src 'self' data:", "style-src 'self' 'unsafe-inline'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s is missing in %s", want, policy)
		}
	}
	if out.Code != 200 || out.Header().Get("X-Frame-Options") == "DENY" {
		t.Errorf("%d %v", out.Code, out.Header())
	}
}
