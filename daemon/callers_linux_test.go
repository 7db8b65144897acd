package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/egresstest"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/sink"
)

// A callersKind is a kind of source or sink that callers of the API may make.
type callersKind struct {
	what, name string
	config     func() any
}

func (k callersKind) String() string { return k.what + " " + k.name }

func callersKinds() (all []callersKind) {
	for _, k := range Connectors() {
		if k.Callers {
			all = append(all, callersKind{"source", k.Name, func() any { return k.Config() }})
		}
	}
	for _, k := range Sinks() {
		if k.Callers {
			all = append(all, callersKind{"sink", k.Name, func() any { return k.Config() }})
		}
	}
	return all
}

// outside is the one host that callers may reach in these tests.
const outside, outsideAddress = "shop.example", "tcp 93.184.216.34:80"

// spec is the body of a kind that reaches outside, with what more says besides.
func (k callersKind) spec(t *testing.T, more string) map[string]any {
	t.Helper()
	text, ok := callersSpecs[k.String()]
	if !ok {
		t.Fatalf("%s is for callers, and callersSpecs has no body of it", k)
	}
	address := "http://" + outside + "/rows"
	if len(addressPaths(k.config())) == 0 {
		address = "x"
	}
	spec := map[string]any{}
	for _, part := range []string{strings.ReplaceAll(text, "ADDRESS", address), more} {
		if part == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part), &spec); err != nil {
			t.Fatalf("%s: %v in %s", k, err, part)
		}
	}
	return spec
}

// detours are ways of a kind that lead elsewhere than its address: they count
// where its configuration has the key.
var detours = []struct{ kind, key, more string }{
	{"source http", "oauth2", `{"oauth2":{"tokenUrl":"http://shop.example/token","clientId":"a","clientSecret":"b"}}`},
	{"source http", "pages", `{"rows":"$.items","pages":{"by":"link"}}`},
	{"source http", "pages", `{"rows":"$.items","pages":{"by":"link","next":"$.next"}}`},
}

// texts calls visit for each text of a configuration, with its path in YAML. What
// is nil is made.
func texts(v reflect.Value, path string, visit func(path string, set func(string))) {
	if v.Type() == reflect.TypeFor[config.Secret]() {
		visit(path, func(text string) { v.Set(reflect.ValueOf(config.NewSecret(text))) })
		return
	}
	switch v.Kind() { //nolint:exhaustive // the others hold no texts
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		texts(v.Elem(), path, visit)
	case reflect.String:
		visit(path, func(text string) { v.SetString(text) })
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String {
			visit(path, func(text string) { v.Set(reflect.Append(v, reflect.ValueOf(text).Convert(v.Type().Elem()))) })
		}
	case reflect.Struct:
		for f, field := range v.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case !f.IsExported():
			case f.Anonymous && name == "":
				texts(field, path, visit)
			case name != "" && name != "-":
				texts(field, strings.TrimPrefix(path+"."+name, "."), visit)
			}
		}
	}
}

// addressPaths are the paths of the texts of a configuration that Addresses
// gives when they are set.
func addressPaths(cfg any) (paths []string) {
	texts(reflect.ValueOf(cfg), "", func(path string, set func(string)) { set("http://10.0.0.1/" + path) })
	var addresses map[string]string
	if c, ok := cfg.(connectors.Addressed); ok { // as sink.Addressed is
		addresses = c.Addresses()
	}
	for _, address := range addresses {
		_, path, ok := strings.Cut(address, "10.0.0.1/")
		if ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// addressLike are names of keys that can hold nothing but where to go.
var addressLike = regexp.MustCompile(`(^|[._])(url|uri|endpoint|address|host|hosts|server|servers|broker|brokers|dsn|proxy)$`)

// A key that is where to go is among the addresses, or nobody judges it.
func TestKindsForCallersNameEveryAddress(t *testing.T) {
	for _, k := range callersKinds() {
		known := addressPaths(k.config())
		texts(reflect.ValueOf(k.config()), "", func(path string, _ func(string)) {
			if addressLike.MatchString(path) && !slices.Contains(known, path) {
				t.Errorf("%s: %s looks like an address, and Addresses gives %q", k, path, known)
			}
		})
	}
}

// inCamelCase is a key of YAML in the words of JSON.
func inCamelCase(word string) string {
	parts := strings.Split(word, "_")
	for i := 1; i < len(parts); i++ {
		parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
	}
	return strings.Join(parts, "")
}

// set puts a text at a path of a body, in the words of JSON.
func set(spec map[string]any, path, text string) {
	words := strings.Split(path, ".")
	for i, word := range words {
		key := inCamelCase(word)
		if i == len(words)-1 {
			spec[key] = text
			return
		}
		inner, ok := spec[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			spec[key] = inner
		}
		spec = inner
	}
}

// insideAddresses are where nobody may go.
var insideAddresses = []string{
	"http://127.0.0.1/", "http://localhost/", "http://inside.example/", "http://10.0.0.1/", "http://192.168.1.1:8080/", "http://169.254.169.254/latest/",
	"http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://2130706433/", "http://0.0.0.0/", "http://[fd00:ec2::254]/", "http://100.100.100.200/",
}

// The road of what callers make, in a world where every address answers: whatever
// kind, whatever key, by a redirect, a page, a token or a name that changes.
func TestCallersConnectionsAreHeardNowhereInside(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("makes some hundred sources one behind the other: runs in the pass without -short")
	}
	c := egresstest.Enter(t)
	if c == nil {
		return
	}
	c.MustHear(t)
	s := newSite(t, "")
	s.write("pictifyd.yaml", "server: { listen: \"127.0.0.1:0\" }\ntemplates: templates\nsecrets: { own: { value: the-operators-own-secret } }\n")
	ctx, cancel := context.WithCancel(t.Context())
	url, ended := s.begin(ctx, Options{Renderer: &rendertest.Null{}})
	defer func() { cancel(); <-ended }()
	p := &process{tb: t, url: url, log: &output{}}
	c.Name("localhost", "127.0.0.1")
	c.Name("inside.example", "10.0.0.1")
	w := callersWorld{t, c, p}

	for _, k := range callersKinds() {
		for _, path := range addressPaths(k.config()) {
			for _, address := range insideAddresses {
				w.leads(nil)
				spec := k.spec(t, "")
				set(spec, path, address)
				w.silent(k, spec, path+" is "+address)
			}
			// Public when it is judged, and inside when it is asked.
			w.leads(nil)
			c.Name("moves.example", "93.184.216.34", "10.0.0.1")
			spec := k.spec(t, "")
			set(spec, path, "http://moves.example/rows")
			w.silent(k, spec, path+" moves")
		}
		mores := []string{""}
		for _, d := range detours {
			if d.kind == k.String() && hasKey(k.config(), d.key) {
				mores = append(mores, d.more)
			}
		}
		for _, more := range mores {
			for _, address := range insideAddresses {
				w.leads(func(rw http.ResponseWriter, _ *http.Request) {
					rw.Header().Set("Location", address)
					rw.WriteHeader(http.StatusTemporaryRedirect)
				})
				w.silent(k, k.spec(t, more), "a redirect to "+address+" "+more)
				w.leads(nextAt(address))
				w.silent(k, k.spec(t, more), "a page at "+address+" "+more)
			}
		}
	}
}

// nextAt answers with rows, a token, and every sign that there is more at address.
func nextAt(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "<"+address+">; rel=\"next\"")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Refresh", "0; url="+address)
		fmt.Fprintf(w, `{"access_token":"t","token_type":"Bearer","items":[{"sku":"A"}],"next":%q}`, address)
	}
}

func hasKey(cfg any, key string) (has bool) {
	texts(reflect.ValueOf(cfg), "", func(path string, _ func(string)) {
		has = has || path == key || strings.HasPrefix(path, key+".")
	})
	return has
}

// A callersWorld is a daemon and the canary around it.
type callersWorld struct {
	t      *testing.T
	canary *egresstest.Canary
	daemon *process
}

// leads has every address answer so; nil answers with no row.
func (w callersWorld) leads(h http.HandlerFunc) {
	w.canary.Name(outside, "93.184.216.34")
	w.canary.Name("moves.example", "93.184.216.34")
	if h == nil {
		h = func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(rw, "[]")
		}
	}
	w.canary.Serve(h)
	w.canary.Heard()
}

// silent makes a source or sink, has it used, and hears where it went.
func (w callersWorld) silent(k callersKind, spec map[string]any, how string) {
	w.t.Helper()
	body, err := json.Marshal(spec)
	if err != nil {
		w.t.Fatal(err)
	}
	status, text := w.daemon.ask("POST", "/"+k.what+"s", string(body))
	switch status {
	case http.StatusCreated:
		w.use(k)
		w.daemon.mustSend(http.StatusNoContent, "DELETE", "/"+k.what+"s/x", "")
	case http.StatusUnprocessableEntity:
	default:
		w.t.Errorf("%s, %s: status %d %s", k, how, status, text)
	}
	for _, heard := range w.canary.Heard() {
		if heard != outsideAddress && !strings.HasPrefix(heard, "name ") {
			w.t.Errorf("%s, %s: the canary heard %s (answered %d %s)", k, how, heard, status, text)
		}
	}
}

// use waits until a source was read, or tells a sink something.
func (w callersWorld) use(k callersKind) {
	w.t.Helper()
	if k.what == "sink" {
		w.daemon.mustSend(http.StatusOK, "POST", "/sinks/x/test", "")
		return
	}
	if cfg, ok := k.config().(connectors.Passive); ok && cfg.Passive() {
		return
	}
	eventually(w.t, "the source is read", func() bool {
		var v struct {
			Source struct {
				Reading struct {
					ReadAt *time.Time
					Error  string
				}
			}
		}
		w.daemon.get("/sources/x", &v)
		return v.Source.Reading.ReadAt != nil || v.Source.Reading.Error != ""
	})
}

// Env.Client is the only way out: without it not even what is open is reached.
func TestKindsForCallersHaveNoOtherWayOut(t *testing.T) {
	c := egresstest.Enter(t)
	if c == nil {
		return
	}
	c.MustHear(t)
	c.Name(outside, "93.184.216.34")
	c.Serve(nextAt("http://" + outside + "/more"))
	for _, k := range callersKinds() {
		if len(addressPaths(k.config())) == 0 {
			continue
		}
		asked := 0
		client := &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
			asked++
			return nil, errors.New("the way is closed")
		})}
		c.Heard()
		k.tryOnce(t, client)
		if heard := c.Heard(); len(heard) > 0 {
			t.Errorf("%s: the canary heard %q", k, heard)
		}
		if asked == 0 {
			t.Errorf("%s never asked its client: this test says nothing", k)
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// tryOnce opens one of the kind as the daemon does, and uses it.
func (k callersKind) tryOnce(t *testing.T, client *http.Client) {
	t.Helper()
	body, err := json.Marshal(k.spec(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	node, err := config.ParseJSON(body, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if k.what == "sink" {
		kind, _ := Sinks().Find(k.name)
		cfg := kind.Config()
		if err := node.Without("name").Decode(cfg); err != nil {
			t.Fatal(err)
		}
		picture := func(context.Context, string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(testPicture)), nil
		}
		to, err := kind.New(cfg, sink.Env{Name: "x", Log: quiet(t), Client: client, Bytes: picture})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = to.Deliver(ctx, sink.Delivery{ID: "dlv_1", Event: sink.RenderCompleted, Binding: "b", Key: "k", Outputs: []sink.Output{{Name: "o", Hash: "h", Format: "gif", Ext: "gif"}}})
		return
	}
	kind, _ := Connectors().Find(k.name)
	cfg := kind.Config()
	if err := node.Without("name").Decode(cfg); err != nil {
		t.Fatal(err)
	}
	from, err := kind.New(cfg, connectors.Env{Name: "x", Log: quiet(t), Client: client})
	if err != nil {
		t.Fatal(err)
	}
	_ = from.Poll(ctx, nil, func(context.Context, connectors.Batch) error { return nil })
	if finder, ok := from.(connectors.Finder); ok {
		_, _, _ = finder.Find(ctx, []string{"k"})
	}
}

// Nothing of the machine is read for a caller: no variable, no file, no secret of
// the operator that he does not lend.
func TestCallersReadNothingOfTheMachine(t *testing.T) {
	t.Setenv("PICTIFYD_TEST_PRIVATE", "a-private-variable")
	s := newSite(t, "secrets: { own: { value: the-operators-own-secret } }\n")
	s.write("private.txt", "a-private-file")
	r := s.reloadable()
	for _, k := range callersKinds() {
		texts(reflect.ValueOf(k.config()), "", func(path string, _ func(string)) {
			if path == "kind" {
				return
			}
			for _, text := range []string{
				"${PICTIFYD_TEST_PRIVATE}", "http://" + outside + "/${PICTIFYD_TEST_PRIVATE}", "secret://own", "file://" + s.dir + "/private.txt",
			} {
				r.learnsNothing(k, path, text, k.spec(t, ""))
			}
			r.learnsNothing(k, path+"_file", s.dir+"/private.txt", k.spec(t, ""))
		})
	}
}

// learnsNothing sends a body, and finds in all that is said of it nothing private.
func (r *reloadable) learnsNothing(k callersKind, path, text string, spec map[string]any) {
	r.site.tb.Helper()
	set(spec, path, text)
	body, err := json.Marshal(spec)
	if err != nil {
		r.site.tb.Fatal(err)
	}
	status, said := r.ask("POST", "/"+k.what+"s", string(body))
	if status == http.StatusCreated {
		said += r.mustSend(http.StatusOK, "GET", "/"+k.what+"s", "")
		if name, ok := spec["name"].(string); ok {
			r.mustSend(http.StatusNoContent, "DELETE", "/"+k.what+"s/"+name, "")
		}
	}
	if strings.HasSuffix(path, "_file") && status == http.StatusCreated || text == "${PICTIFYD_TEST_PRIVATE}" && status == http.StatusCreated {
		r.site.tb.Errorf("%s: %s %q is taken: %s", k, path, text, said)
	}
	for _, private := range []string{"a-private-variable", "the-operators-own-secret", "a-private-file"} {
		if strings.Contains(said, private) {
			r.site.tb.Errorf("%s: %s %q shows %s: %s", k, path, text, private, said)
		}
	}
}
