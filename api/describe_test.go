package api

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/openapi"
)

var update = flag.Bool("update", false, "write describe_comments.json anew")

func TestEveryRouteIsDescribedOnce(t *testing.T) {
	all := map[string]operation{}
	for _, some := range described {
		for pattern, op := range some {
			if _, twice := all[pattern]; twice {
				t.Errorf("%s is described twice", pattern)
			}
			all[pattern] = op
		}
	}
	for _, rt := range routes() {
		if _, ok := all[rt.pattern]; !ok {
			t.Errorf("%s has no description: add it to a table in describe_*.go", rt.pattern)
		}
		delete(all, rt.pattern)
	}
	for pattern := range all {
		t.Errorf("%s is described and is no route", pattern)
	}
}

func TestDescriptionsAreWhole(t *testing.T) {
	d, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			where := method + " " + path
			if before, twice := ids[op.ID]; twice || op.ID == "" {
				t.Errorf("%s has the id %q, which %s has", where, op.ID, before)
			}
			ids[op.ID] = where
			if op.Summary == "" || strings.HasSuffix(op.Summary, ".") {
				t.Errorf("%s: summary %q, want a few words without a full stop", where, op.Summary)
			}
			if !slices.ContainsFunc(d.Tags, func(tag openapi.Tag) bool { return tag.Name == op.Tags[0] }) {
				t.Errorf("%s has the tag %q, which is none", where, op.Tags[0])
			}
			for _, p := range op.Parameters {
				if p.Ref == "" && p.Description == "" {
					t.Errorf("%s: nothing is said about the parameter %s (pathWords has those of paths)", where, p.Name)
				}
				if _, ok := d.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]; p.Ref != "" && !ok {
					t.Errorf("%s refers to the parameter %s, which is not there", where, p.Ref)
				}
			}
			succeeds := false
			for status := range op.Responses {
				succeeds = succeeds || status[0] == '2'
			}
			if !succeeds {
				t.Errorf("%s has no answer that is a success", where)
			}
		}
	}
	for name, s := range d.Components.Schemas {
		if s.Description == "" {
			t.Errorf("nothing is said about the type %s: its Go type has no comment, or go test ./api -update was not run", name)
		}
	}
}

// Every answer of every test here is held against the document (call.to); this
// walks what the others may leave out.
// Makers of clients read a schema that is "true" as none, or not at all.
func TestEverySchemaOfABodyIsAnObject(t *testing.T) {
	d, _, err := newDocument("http://127.0.0.1:8080", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	seen := 0
	var walk func(at string, value any)
	walk = func(at string, value any) {
		switch value := value.(type) {
		case []any:
			for i, one := range value {
				walk(fmt.Sprintf("%s/%d", at, i), one)
			}
		case map[string]any:
			for name, one := range value {
				if name == "schema" || name == "contentSchema" {
					seen++
					if _, bare := one.(bool); bare {
						t.Errorf("%s/%s is %v", at, name, one)
					}
				}
				walk(at+"/"+name, one)
			}
		}
	}
	walk("#", document)
	if seen < 100 {
		t.Errorf("only %d schemas were seen", seen)
	}
}

func TestAnswersAndRequestsAreAsDescribed(t *testing.T) {
	w := newWorld()
	all := ways(w)
	s := mustServer(t, open(), w)
	for _, pattern := range slices.Sorted(maps.Keys(all)) {
		way := all[pattern]
		if out := way.call.to(t, s); out.Code < 300 {
			mustFitRequest(t, s, way.call)
		}
	}
	for _, body := range []string{
		`{"variableSets":[{"a":[1,{"b":null}]}],"layouts":["default","story"],"fileExtension":"jpg","quality":0.8,"concurrency":9}`,
		`{"variables":[{"a":1}],"outputs":[{"name":"a","format":"pdf","preset":"A4","landscape":true,"margins":{"top":1,"left":"2mm"},"title":"x"},
		  {"name":"b","format":"gif","fps":3,"duration":"2s","loops":2},{"name":"c","format":"webp","animated":true,"duration":2,"maxBytes":"1MB","locale":"de-DE"}],
		  "metadata":[1,"a"],"rowKey":"a","webhookUrl":"https://a.example/x","theme":"","timezone":"Europe/Berlin","currency":"EUR"}`,
	} {
		c := post(batchPath, body)
		mustAnswer[batch.Accepted](t, c.to(t, s), 202)
		mustFitRequest(t, s, c)
	}
}

func TestExamplesAreTakenAsTheyStand(t *testing.T) {
	d, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			if op.Body == nil {
				continue
			}
			for _, example := range op.Body.Content["application/json"].Examples {
				data, err := json.Marshal(example.Value)
				if err != nil {
					t.Fatal(err)
				}
				tried++
				mustFit(t, d, method+" "+path+": the example "+example.Summary, op.Body.Content["application/json"].Schema, data)
			}
		}
	}
	if tried < 5 {
		t.Errorf("%d examples were tried", tried)
	}
	s := mustServer(t, open(), newWorld())
	for _, example := range d.Paths["/templates/{id}/batch-render"]["post"].Body.Content["application/json"].Examples {
		data, _ := json.Marshal(example.Value)
		mustAnswer[batch.Accepted](t, post(batchPath, string(data)).to(t, s), 202)
	}
}

func TestEveryFieldOfABatchIsDescribed(t *testing.T) {
	for _, c := range []struct {
		known map[string]string
		typ   reflect.Type
	}{
		{batch.Fields(), reflect.TypeFor[batchRequest]()},
		{batch.OutputFields(), reflect.TypeFor[outputRequest]()},
		{batch.OrderFields(batch.RenderOrder), reflect.TypeFor[renderRequest]()},
		{batch.OrderFields(batch.ImageOrder), reflect.TypeFor[imageRequest]()},
		{batch.OrderFields(batch.GIFOrder), reflect.TypeFor[gifRequest]()},
		{batch.OrderFields(batch.PDFOrder), reflect.TypeFor[pdfRequest]()},
		{batch.OrderFields(batch.PagesOrder), reflect.TypeFor[pagesRequest]()},
		{addressFields(), reflect.TypeFor[signRequest]()},
	} {
		described := map[string]string{}
		texts, err := comments()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range reflect.VisibleFields(c.typ) {
			if f.Anonymous {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			described[name] = name
			owner := c.typ
			if len(f.Index) > 1 {
				owner = c.typ.FieldByIndex(f.Index[:len(f.Index)-1]).Type
			}
			if other, ok := strings.CutPrefix(texts[commentKey(owner, f.Name)], "another name of "); ok {
				described[name] = other
			}
		}
		// Words that the room uses inside are not those of the API.
		spelling := map[string]string{"max_bytes": "maxBytes"}
		known := map[string]string{}
		for name, meaning := range c.known {
			known[name] = meaning
			if own, ok := spelling[meaning]; ok {
				known[name] = own
			}
		}
		if diff := cmp.Diff(known, described); diff != "" {
			t.Errorf("%s (-what batch reads, +what is described):\n%s", c.typ, diff)
		}
	}
}

// addressFields are those of a request to sign an address, with their meanings.
func addressFields() map[string]string {
	all := batch.OrderFields(batch.RenderOrder)
	fields := map[string]string{"variables": "variables", "expiresIn": "expiresIn"}
	for _, name := range addressField {
		fields[name] = all[name]
	}
	return fields
}

func TestWebhooksAreAsDescribed(t *testing.T) {
	w := newWorld()
	w.acceptedJob("batch_1", 3, 1)
	job := w.jobs[0]
	job.Metadata = json.RawMessage(`{"cohort":7}`)
	results := func(yield func(batch.Result, error) bool) {
		for _, r := range w.results[job.ID] {
			if !yield(r, nil) {
				return
			}
		}
	}
	image := func(hash, ext string) string { return "http://127.0.0.1:8080/images/" + hash + "." + ext }
	data, err := batch.CompletionData(job, iter.Seq2[batch.Result, error](results), batch.URLs{Image: image, Results: "http://127.0.0.1:8080/r", CSV: "http://127.0.0.1:8080/c", Zip: "http://127.0.0.1:8080/z", Failed: "http://127.0.0.1:8080/f"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"event":"batch.completed","timestamp":%q,"data":%s}`, time.Now().UTC().Format(time.RFC3339), data)
	mustFit(t, d, "the webhook", d.Webhooks["batch.completed"]["post"].Body.Content["application/json"].Schema, []byte(body))
	for i, event := range []string{batch.RowCompleted, batch.RowFailed} {
		data, err := batch.RowEventData(job, w.results[job.ID][i], time.Now(), image)
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"event":%q,"timestamp":%q,"data":%s}`, event, time.Now().UTC().Format(time.RFC3339), data)
		mustFit(t, d, "the webhook "+event, d.Webhooks[event]["post"].Body.Content["application/json"].Schema, []byte(body))
	}
}

func TestWordsAreTheConstantsOfTheirTypes(t *testing.T) {
	_, s, err := newDocument("http://a.example", "")
	if err != nil {
		t.Fatal(err)
	}
	walked := 0
	for name, typ := range s.Types() {
		schema := s.All()[name]
		if len(schema.Enum) == 0 {
			continue
		}
		walked++
		var want []string
		for _, file := range mustParse(t, typ) {
			want = append(want, constantsOf(file, typ.Name())...)
		}
		for _, word := range want {
			if !slices.Contains(schema.Enum, any(word)) {
				t.Errorf("%s has no %q", name, word)
			}
		}
		if len(want) < len(schema.Enum) {
			t.Errorf("%s has %v, and %s has the constants %q", name, schema.Enum, typ, want)
		}
	}
	if walked < 5 {
		t.Errorf("%d types of words were found", walked)
	}
}

func constantsOf(file *ast.File, name string) (values []string) {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			c := spec.(*ast.ValueSpec)
			if typ, ok := c.Type.(*ast.Ident); !ok || typ.Name != name {
				continue
			}
			value, err := strconv.Unquote(c.Values[0].(*ast.BasicLit).Value)
			if err == nil {
				values = append(values, value)
			}
		}
	}
	return values
}

func TestCommentsInTheDocumentAreThoseOfTheCode(t *testing.T) {
	_, s, err := newDocument("http://a.example", "")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	todo := map[reflect.Type]bool{}
	for _, typ := range s.Types() {
		todo[typ] = true
		if typ.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(typ) {
			if f.Anonymous {
				todo[f.Type] = true
			}
		}
	}
	for typ := range todo {
		for _, file := range mustParse(t, typ) {
			addComments(want, file, typ)
		}
	}
	have, err := comments()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, have); diff == "" {
		return
	} else if !*update {
		t.Fatalf("describe_comments.json is old; write it anew with go test ./api -run Comments -update (-code +file):\n%s", diff)
	}
	data, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("describe_comments.json", append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

var parsed = map[string][]*ast.File{}

// mustParse are the files of a type's package.
func mustParse(tb testing.TB, typ reflect.Type) []*ast.File {
	tb.Helper()
	path := strings.TrimPrefix(typ.PkgPath(), "github.com/pictifyd/pictifyd/")
	if files, ok := parsed[path]; ok {
		return files
	}
	entries, err := os.ReadDir("../" + path)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../"+path+"/"+e.Name(), nil, parser.ParseComments)
		if err != nil {
			tb.Fatal(err)
		}
		parsed[path] = append(parsed[path], file)
	}
	return parsed[path]
}

func addComments(all map[string]string, file *ast.File, typ reflect.Type) {
	note := func(field string, groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
				all[commentKey(typ, field)] = text
			}
		}
	}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.TYPE {
			continue
		}
		for _, spec := range group.Specs {
			def := spec.(*ast.TypeSpec)
			if def.Name.Name != typ.Name() {
				continue
			}
			note("", group.Doc, def.Doc)
			structure, ok := def.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range structure.Fields.List {
				for _, name := range f.Names {
					if f.Tag != nil {
						note(name.Name, f.Doc, f.Comment)
					}
				}
			}
		}
	}
}

func TestDocumentIsServedAndKept(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	out := get("/openapi.json").to(t, s)
	d := mustAnswer[openapi.Document](t, out, 200)
	if d.OpenAPI != openapi.Version || d.Info.Version != "1.2.3" || d.Servers[0].URL != "https://images.example" {
		t.Errorf("got %s of %+v at %+v", d.OpenAPI, d.Info, d.Servers)
	}
	again := get("/openapi.json").with("If-None-Match", out.Header().Get("ETag")).to(t, s)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("status %d with %d bytes, want 304", again.Code, again.Body.Len())
	}
}

var (
	anchorAt = regexp.MustCompile(` id="([^"]+)"`)
	blocked  = regexp.MustCompile(`<style|<script|<[a-z][^>]*\sstyle=`)
	linkTo   = regexp.MustCompile(`href="#([^"]+)"`)
)

func TestReferenceHasEveryOperationAndItsLinksLeadSomewhere(t *testing.T) {
	out := get("/docs").to(t, mustServer(t, locked(), newWorld()))
	html := out.Body.String()
	if out.Code != 200 || out.Header().Get("Content-Security-Policy") != pagePolicy {
		t.Fatalf("status %d, policy %q", out.Code, out.Header().Get("Content-Security-Policy"))
	}
	anchors := map[string]bool{}
	for _, m := range anchorAt.FindAllStringSubmatch(html, -1) {
		if anchors[m[1]] {
			t.Errorf("two parts are called %s", m[1])
		}
		anchors[m[1]] = true
	}
	for _, m := range linkTo.FindAllStringSubmatch(html, -1) {
		if !anchors[m[1]] {
			t.Errorf("a link leads to %s, which is not there", m[1])
		}
	}
	d, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	for _, methods := range d.Paths {
		for _, op := range methods {
			if !anchors[op.ID] {
				t.Errorf("%s is not on the page", op.ID)
			}
		}
	}
	if found := blocked.FindString(html); found != "" {
		t.Errorf("the page holds %q, which its policy blocks", found)
	}
}
