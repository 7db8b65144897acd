package httppoll_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func newFinder(tb testing.TB, cfg *httppoll.Config) connectors.Finder {
	tb.Helper()
	f, ok := newPoller(tb, cfg).(connectors.Finder)
	if !ok || !cfg.Passive() || !connectors.Finds(cfg) {
		tb.Fatalf("no finder, passive %v", cfg.Passive())
	}
	return f
}

func TestRowIsFoundByItsKey(t *testing.T) {
	for name, c := range map[string]struct {
		rows, body, position string
	}{
		"object":         {"", `{"id":7,"name":"Mug"}`, "$"},
		"object in data": {"$.data", `{"data":{"id":"7","name":"Mug"}}`, "$.data"},
		"list of one":    {"$.items", `{"items":[{"id":"7","name":"Mug"}]}`, "$.items[0]"},
		"without key":    {"", `{"name":"Mug"}`, "$"},
		"with a mark":    {"", "\ufeff" + `{"name":"Mug"}`, "$"},
	} {
		t.Run(name, func(t *testing.T) {
			var a asked
			cfg := newConfig(newServer(t, noting(&a, answers("application/json", c.body))).URL + "/products/{{ key }}")
			cfg.Rows = c.rows
			row, found, err := newFinder(t, cfg).Find(t.Context(), []string{"7"})
			if err != nil || !found || row.Key[0] != "7" || row.Values["name"] != "Mug" || row.Values["id"] == nil || row.Position != c.position {
				t.Errorf("found %v %+v, %v", found, row, err)
			}
			if a.last().RequestURI != "/products/7" {
				t.Errorf("asked for %s", a.last().RequestURI)
			}
		})
	}
}

func TestRowThatIsNotThereIsNotFound(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"404":        http.NotFound,
		"410":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"null":       answers("application/json", `{"data":null}`),
		"empty list": answers("application/json", `{"data":[]}`),
	} {
		cfg := newConfig(newServer(t, handler).URL + "/products/{{ id }}")
		cfg.Rows = "$.data"
		if row, found, err := newFinder(t, cfg).Find(t.Context(), []string{"7"}); err != nil || found {
			t.Errorf("%s: found %v %+v, %v", name, found, row, err)
		}
	}
}

func TestRowThatCannotBeAskedForIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"another row":   {answers("application/json", `{"data":{"id":"8"}}`), `the id "8", not the one`},
		"several":       {answers("application/json", `{"data":[{"id":"7"},{"id":"8"}]}`), "more than one row"},
		"other form":    {answers("application/json", `{"product":{}}`), "there is no $.data"},
		"text":          {answers("application/json", `{"data":"x"}`), "$.data is a string"},
		"half":          {answers("application/json", `{"data":{"id":"7"}`), "breaks off"},
		"login page":    {answers("text/html", `<html>`), "HTML"},
		"empty":         {answers("application/json", ``), "empty"},
		"server error":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "500"},
		"unauthorized":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "401"},
		"list of texts": {answers("application/json", `{"data":["x"]}`), "no element could be read"},
	} {
		cfg := newConfig(newServer(t, c.handler).URL + "/products/{{ id }}?token=hidden")
		cfg.Rows = "$.data"
		_, found, err := newFinder(t, cfg).Find(t.Context(), []string{"7"})
		if err == nil || found || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: found %v, %v; want an error with %q", name, found, err, c.want)
		}
	}
}

func TestKeyReachesItsOwnAddressAlone(t *testing.T) {
	for key, want := range map[string]string{
		"a/b":      "/products/a%2Fb/info?key=a%2Fb",
		"a b":      "/products/a%20b/info?key=a+b",
		"a?b=1":    "/products/a%3Fb=1/info?key=a%3Fb%3D1",
		"50%":      "/products/50%25/info?key=50%25",
		"%2F":      "/products/%252F/info?key=%252F",
		"a#b":      "/products/a%23b/info?key=a%23b",
		"a&b=c":    "/products/a&b=c/info?key=a%26b%3Dc",
		"ä":        "/products/%C3%A4/info?key=%C3%A4",
		"a\r\nb":   "/products/a%0D%0Ab/info?key=a%0D%0Ab",
		"...":      "/products/.../info?key=...",
		"..":       "",
		".":        "",
		"../admin": "",
		`..\admin`: "",
		"a/../..":  "",
		"%2e%2e":   "",
		"..%2fx":   "",
		"..;x":     "",
		"":         "",
	} {
		var a asked
		cfg := newConfig(newServer(t, noting(&a, answers("application/json", `{"name":"Mug"}`))).URL + "/products/{{ key }}/info?key={{ key }}")
		_, found, err := newFinder(t, cfg).Find(t.Context(), []string{key})
		switch {
		case want == "" && (err == nil || found || len(a.requests) > 0):
			t.Errorf("key %q: found %v, %v, asked %d times; want it refused", key, found, err, len(a.requests))
		case want != "" && (err != nil || a.last().RequestURI != want):
			t.Errorf("key %q: %v, want %s", key, err, want)
		}
	}
}

func TestKeyOfSeveralColumnsIsInTheAddressByTheirNames(t *testing.T) {
	var a asked
	cfg := newConfig(newServer(t, noting(&a, answers("application/json", `{}`))).URL + "/{{ shop }}/{{ sku | upper }}")
	cfg.Key = config.Strings{"shop", "sku"}
	row, found, err := newFinder(t, cfg).Find(t.Context(), []string{"berlin", "a1"})
	if err != nil || !found || a.last().RequestURI != "/berlin/A1" {
		t.Fatalf("found %v, %v, asked %v", found, err, a.requests)
	}
	if diff := cmp.Diff([]any{"berlin", "a1"}, row.Key); diff != "" {
		t.Errorf("key (-want +got):\n%s", diff)
	}
	if _, _, err := newFinder(t, cfg).Find(t.Context(), []string{"berlin"}); err == nil {
		t.Error("half a key was asked for")
	}
}

func TestSourceWithAKeyInItsAddressIsNotPolled(t *testing.T) {
	mustFail(t, newPoller(t, newConfig("http://shop.example/{{ key }}")), "one by one", "live")
	if newConfig("http://shop.example/").Passive() || newConfig("http://shop.example/{{ run.month }}").Passive() {
		t.Error("a source without a key in its address is passive")
	}
}

func TestKeyIsEncodedForItsPlaceInABody(t *testing.T) {
	key := `a"b\c&d`
	for name, c := range map[string]struct {
		change func(*httppoll.Config)
		want   string
	}{
		"json":      {func(c *httppoll.Config) { c.JSON = map[string]any{"id": "{{ key }}", "n": []any{true, nil, "<x>"}} }, `{"id":"a\"b\\c\u0026d","n":[true,null,"<x>"]}`},
		"json text": {func(c *httppoll.Config) { c.Body = config.NewSecret(`{"id":"{{ key }}"}`) }, `{"id":"a\"b\\c\u0026d"}`},
		"form": {func(c *httppoll.Config) {
			c.Body = config.NewSecret("id={{ key }}")
			c.ContentType = "application/x-www-form-urlencoded"
		}, "id=a%22b%5Cc%26d"},
		"text": {func(c *httppoll.Config) { c.Body = config.NewSecret("id {{ key }}") }, "id " + key},
	} {
		t.Run(name, func(t *testing.T) {
			var got, media string
			cfg := newConfig(newServer(t, func(w http.ResponseWriter, r *http.Request) {
				got, media = r.Method+" "+bodyOf(r), r.Header.Get("Content-Type")
				answers("application/json", `{}`)(w, r)
			}).URL)
			c.change(cfg)
			if _, _, err := newFinder(t, cfg).Find(t.Context(), []string{key}); err != nil {
				t.Fatal(err)
			}
			want := "POST " + c.want
			if name == "json" { // where & need not be written otherwise
				want = strings.ReplaceAll(want, `\u0026`, "&")
			}
			if got != want || media == "" {
				t.Errorf("sent %s as %q, want %s", got, media, want)
			}
		})
	}
}

func TestKeyThatIsNoHeaderIsRefused(t *testing.T) {
	cfg := newConfig(newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") }).URL)
	cfg.Headers = map[string]config.Secret{"X-Id": config.NewSecret("id {{ key }}")}
	if _, _, err := newFinder(t, cfg).Find(t.Context(), []string{"a\r\nX-Admin: 1"}); err == nil || !strings.Contains(err.Error(), "headers.X-Id") {
		t.Errorf("error is %v", err)
	}
}

func TestRequestThatMakesNoSenseNamesItsField(t *testing.T) {
	secret := config.NewSecret
	for name, c := range map[string]struct {
		change func(*httppoll.Config)
		path   string
	}{
		"expression in the host": {func(c *httppoll.Config) { c.URL = "https://{{ key }}.example/" }, "url"},
		"expression as address":  {func(c *httppoll.Config) { c.URL = "{{ key }}" }, "url"},
		"host without a path":    {func(c *httppoll.Config) { c.URL = "https://shop.example{{ key }}/" }, "url"},
		"unclosed":               {func(c *httppoll.Config) { c.URL += "/{{ key" }, "url"},
		"unknown name":           {func(c *httppoll.Config) { c.URL += "/{{ sku }}" }, "url"},
		"unknown part of run":    {func(c *httppoll.Config) { c.URL += "/{{ run.mnth }}" }, "url"},
		"row without for_each":   {func(c *httppoll.Config) { c.URL += "/{{ row.id }}" }, "url"},
		"clock":                  {func(c *httppoll.Config) { c.URL += "/{{ now() }}" }, "url"},
		"key and run":            {func(c *httppoll.Config) { c.URL += "/{{ key }}/{{ run.month }}" }, "url"},
		"half a key":             {func(c *httppoll.Config) { c.URL += "/{{ id }}"; c.Key = config.Strings{"id", "shop"} }, "url"},
		"key of several":         {func(c *httppoll.Config) { c.URL += "/{{ key }}"; c.Key = config.Strings{"id", "shop"} }, "url"},
		"key and pages":          {func(c *httppoll.Config) { c.URL += "/{{ key }}"; c.Pages = &httppoll.Pages{By: "link"} }, "pages"},
		"key and csv":            {func(c *httppoll.Config) { c.URL += "/{{ key }}"; c.Format = "csv" }, "format"},
		"one and key":            {func(c *httppoll.Config) { c.URL += "/{{ key }}"; c.Key, c.One = nil, "x" }, "url"},
		"json":                   {func(c *httppoll.Config) { c.JSON = map[string]any{"a": []any{"{{ b }}"}} }, "json.a[0]"},
		"query":                  {func(c *httppoll.Config) { c.Query = map[string]config.Secret{"q": secret("{{ b }}")} }, "query.q"},
		"header":                 {func(c *httppoll.Config) { c.Headers = map[string]config.Secret{"X": secret("{{ b }}")} }, "headers.X"},
		"body":                   {func(c *httppoll.Config) { c.Body = secret("{{ b }}") }, "body"},
		"GET with a body":        {func(c *httppoll.Config) { c.Method, c.Body = "GET", secret("x") }, "method"},
		"two bodies":             {func(c *httppoll.Config) { c.JSON, c.Body = "x", secret("x") }, "json"},
		"type of no body":        {func(c *httppoll.Config) { c.ContentType = "text/plain" }, "content_type"},
		"type twice": {func(c *httppoll.Config) {
			c.Body = secret("x")
			c.Headers = map[string]config.Secret{"content-type": secret("x")}
		}, "headers.content-type"},
		"per_host":             {func(c *httppoll.Config) { c.PerHost = 0 }, "per_host"},
		"keep of nothing":      {func(c *httppoll.Config) { c.Keep = config.Strings{"a"} }, "keep"},
		"for_each without row": {func(c *httppoll.Config) { c.ForEach = "customers" }, "for_each"},
		"for_each and one":     {func(c *httppoll.Config) { c.ForEach, c.Key, c.One = "customers", nil, "x"; c.URL += "/{{ row.id }}" }, "for_each"},
		"for_each and key":     {func(c *httppoll.Config) { c.ForEach = "customers"; c.URL += "/{{ row.id }}/{{ key }}" }, "url"},
		"bearer and basic":     {func(c *httppoll.Config) { c.Bearer, c.Basic = secret("x"), &httppoll.Basic{User: "a"} }, "basic"},
		"empty basic":          {func(c *httppoll.Config) { c.Basic = &httppoll.Basic{} }, "basic"},
		"key nowhere":          {func(c *httppoll.Config) { c.APIKey = &httppoll.APIKey{Value: secret("x")} }, "api_key"},
		"key twice":            {func(c *httppoll.Config) { c.APIKey = &httppoll.APIKey{Header: "X", Query: "x", Value: secret("x")} }, "api_key"},
		"empty key":            {func(c *httppoll.Config) { c.APIKey = &httppoll.APIKey{Header: "X"} }, "api_key.value"},
		"key with a line end":  {func(c *httppoll.Config) { c.APIKey = &httppoll.APIKey{Header: "X", Value: secret("s3cret\n")} }, "api_key.header"},
		"token address":        {func(c *httppoll.Config) { c.OAuth2 = &httppoll.OAuth2{ClientID: "a", TokenURL: "login"} }, "oauth2.token_url"},
		"no client":            {func(c *httppoll.Config) { c.OAuth2 = &httppoll.OAuth2{TokenURL: "https://login.example/t"} }, "oauth2.client_id"},
		"managed param": {func(c *httppoll.Config) {
			c.OAuth2 = &httppoll.OAuth2{TokenURL: "https://login.example/t", ClientID: "a", Params: map[string]config.Secret{"scope": secret("x")}}
		}, "oauth2.params.scope"},
		"way of paging":      {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "next"} }, "pages.by"},
		"cursor nowhere":     {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "cursor"} }, "pages.next"},
		"path":               {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "cursor", Next: "next"} }, "pages.next"},
		"cursor in a table":  {func(c *httppoll.Config) { c.Format, c.Pages = "csv", &httppoll.Pages{By: "cursor", Next: "$.next"} }, "pages.next"},
		"param of a link":    {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "link", Param: "p"} }, "pages.param"},
		"aligned pages":      {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "page", Aligned: true} }, "pages.aligned"},
		"field without json": {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "page", Field: "a.b"} }, "pages.field"},
		"field through a text": {func(c *httppoll.Config) {
			c.JSON = map[string]any{"a": "x"}
			c.Pages = &httppoll.Pages{By: "page", Field: "a.b"}
		}, "pages.field"},
		"negative size": {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "page", Size: -1} }, "pages.size"},
		"negative most": {func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "page", MaxPages: -1} }, "pages.max_pages"},
		"one in pages":  {func(c *httppoll.Config) { c.Key, c.One, c.Pages = nil, "x", &httppoll.Pages{By: "page"} }, "pages"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig("https://shop.example/rows")
			c.change(cfg)
			all := problem.All(cfg.Validate())
			if len(all) != 1 || all[0].Path != c.path || strings.Contains(fmt.Sprint(all), "s3cret") {
				t.Fatalf("problems are %v, want one at %s", all, c.path)
			}
			if _, err := httppoll.Kind.New(cfg, connectors.Env{}); err == nil {
				t.Error("New accepted it")
			}
		})
	}
}
