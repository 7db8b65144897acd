package daemon

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

var secretType, secretsType = reflect.TypeFor[config.Secret](), reflect.TypeFor[config.Secrets]()

// secretPaths are the places of secrets in a configuration of type t, which is in
// those of within. What a type has again in itself was met there.
func secretPaths(t reflect.Type, path string, all map[string]bool, within ...reflect.Type) {
	switch {
	case slices.Contains(within, t):
	case t == secretType || t == secretsType:
		all[path] = true
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		secretPaths(t.Elem(), path, all, within...)
	case t.Kind() == reflect.Struct && strings.HasPrefix(t.PkgPath(), strings.TrimSuffix(module, "/")):
		for f := range t.Fields() {
			if f.IsExported() {
				secretPaths(f.Type, path+"."+f.Name, all, append(slices.Clone(within), t)...)
			}
		}
	}
}

// secretsIn are the secrets that v has, by their places.
func secretsIn(v reflect.Value, path string, all map[string][]string) {
	switch t := v.Type(); {
	case t == secretType:
		if text := v.Interface().(config.Secret).Reveal(); text != "" {
			all[path] = append(all[path], text)
		}
	case t.Kind() == reflect.Pointer:
		if !v.IsNil() {
			secretsIn(v.Elem(), path, all)
		}
	case t.Kind() == reflect.Slice:
		for i := range v.Len() {
			secretsIn(v.Index(i), path, all)
		}
	case t.Kind() == reflect.Map:
		for _, key := range v.MapKeys() {
			secretsIn(v.MapIndex(key), path, all)
		}
	case t.Kind() == reflect.Struct && strings.HasPrefix(t.PkgPath(), strings.TrimSuffix(module, "/")):
		for f, value := range v.Fields() {
			if f.IsExported() {
				secretsIn(value, path+"."+f.Name, all)
			}
		}
	}
}

// newSecretive is testdata/secretive.yaml, the whole of what can be secret, in a
// site, and every secret that it has.
func newSecretive(t *testing.T) (s *site, yaml string, hidden map[string][]string) {
	t.Helper()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		said := fmt.Sprintf("%s %v %s", r.URL, r.Header, body)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": 400, "message": said, "status": said}, "error_description": said})
	}))
	t.Cleanup(echo.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "robot@shop.example", "token_uri": echo.URL + "/token", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(string(account))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	inYAML := func(kind string, der []byte) string {
		return strconv.Quote(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	written, err := os.ReadFile("testdata/secretive.yaml")
	if err != nil {
		t.Fatal(err)
	}
	yaml = strings.NewReplacer("ECHO", echo.URL, "CREDENTIALS", string(quoted), "CERTIFICATE", inYAML("CERTIFICATE", signed), "PRIVATE", inYAML("PRIVATE KEY", der)).Replace(string(written))
	s = newSite(t, "")
	s.write("pictifyd.yaml", yaml)
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	hidden = secretsOfSettings(settings)
	hidden["basic"] = []string{base64.StdEncoding.EncodeToString([]byte("me:hunter2-password")), url.QueryEscape("me:hunter2-proxy"), "hunter2"}
	hidden["database"] = []string{"hunter2-database"}
	hidden["private key"] = []string{base64.StdEncoding.EncodeToString(der)[100:140]}
	return s, yaml, hidden
}

func secretsOfSettings(s *Settings) map[string][]string {
	all := map[string][]string{}
	secretsIn(reflect.ValueOf(*s), "file", all)
	for _, source := range s.Sources {
		secretsIn(reflect.ValueOf(source.Config), "source "+source.Kind.Name, all)
	}
	for _, one := range s.Sinks {
		secretsIn(reflect.ValueOf(one.Config), "sink "+one.Kind.Name, all)
	}
	return all
}

func mustHide(t *testing.T, where, text string, hidden map[string][]string) {
	t.Helper()
	for path, secrets := range hidden {
		for _, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s shows %s: …%s…", where, path, text[max(at-120, 0):min(at+len(secret)+20, len(text))])
			}
		}
	}
}

func TestEveryKindOfSecretIsTried(t *testing.T) {
	_, _, hidden := newSecretive(t)
	maps.Copy(hidden, secretsOfSettings(mustDecode(t, secretiveBucket)))
	all := map[string]bool{}
	secretPaths(reflect.TypeFor[Settings](), "file", all)
	for _, kind := range Connectors() {
		secretPaths(reflect.TypeOf(kind.Config()), "source "+kind.Name, all)
	}
	for _, kind := range Sinks() {
		secretPaths(reflect.TypeOf(kind.Config()), "sink "+kind.Name, all)
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if hidden[path] == nil {
			t.Errorf("%s is a secret that this test has none of", path)
		}
	}
	if len(all) < 20 {
		t.Errorf("only %d places of secrets were found", len(all))
	}
}

// A locked is a buffer that is written and read at the same time.
type locked struct {
	mu sync.Mutex

	text bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// failedReadings is how many of the sources, as the API lists them, say why they
// could not be read.
func failedReadings(t *testing.T, list string) (failed int) {
	t.Helper()
	var sources struct {
		Sources []struct{ Reading struct{ Error string } }
	}
	if err := json.Unmarshal([]byte(list), &sources); err != nil {
		t.Fatal(err)
	}
	for _, one := range sources.Sources {
		if one.Reading.Error != "" {
			failed++
		}
	}
	return failed
}

func TestNoSecretIsEverShown(t *testing.T) {
	s, _, hidden := newSecretive(t)
	log := new(locked)
	address, _ := s.run(Options{Renderer: &rendertest.Null{}, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	ask := func(method, path, key, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		mustHide(t, fmt.Sprintf("%s %s (%d)", method, path, res.StatusCode), string(text), hidden)
		return string(text)
	}
	get := func(path string) string { t.Helper(); return ask("GET", path, "hunter2-key-of-the-server", "") }
	eventually(t, "what every source that is read says of its failure", func() bool { return failedReadings(t, get("/sources")) == 8 })
	eventually(t, "what the sink says", func() bool { return strings.Contains(get("/bindings/cards/rows/A"), "400") })
	for _, path := range []string{
		"/bindings", "/bindings/cards", "/bindings/others", "/bindings/cards/rows", "/bindings/others/guard", "/sinks", "/sinks/hook", "/keys", "/jobs",
		"/openapi.json", "/docs", "/metrics", "/readyz", "/healthz", "/",
	} {
		get(path)
	}
	for _, path := range []string{"a", "b", "c", "d", "e", "f"} {
		ask("POST", "/hooks/"+path, "of somebody else", "[]")
	}
	for _, name := range []string{"hook", "column", "events", "ring", "crm1", "crm2", "bucket"} {
		get("/sinks/" + name)
		get("/sinks/" + name + "/deliveries")
		for _, row := range []string{"", `{"binding":"cards","key":"A"}`} {
			if text := ask("POST", "/sinks/"+name+"/test", "hunter2-key-of-the-server", row); row != "" && !strings.Contains(text, "error") {
				t.Errorf("the test of %s says %s", name, text)
			}
		}
	}
	for _, path := range []string{"/bindings/others/refresh", "/bindings/cards/preview"} {
		ask("POST", path, "hunter2-key-of-the-server", "")
	}
	ask("POST", "/sources", "hunter2-key-of-the-server", `{"name":"mine","kind":"http","url":"http://127.0.0.1:1/","key":"sku","every":"1s","bearer":"secret://shop_key"}`)
	get("/sources/mine")
	for _, model := range []string{"chatty", "native"} { // whose servers say what they were sent
		var run struct{ ID, Status string }
		if err := json.Unmarshal([]byte(ask("POST", "/copilot/runs", "hunter2-key-of-the-server", `{"template":"card","message":"Make it blue","model":"`+model+`"}`)), &run); err != nil || run.ID == "" {
			t.Fatalf("the run of %s: %+v, %v", model, run, err)
		}
		eventually(t, "the end of the run of "+model, func() bool {
			return !strings.Contains(get("/copilot/runs/"+run.ID), `"status":"running"`)
		})
		get("/copilot/runs/" + run.ID + "/events")
	}
	for _, path := range []string{"/copilot/models", "/copilot/runs", "/copilot/audit"} {
		get(path)
	}
	if len(log.String()) < 500 {
		t.Errorf("the log has only %s", log)
	}
	mustHide(t, "the log", log.String(), hidden)
	schema, err := ConfigSchema()
	if err != nil {
		t.Fatal(err)
	}
	mustHide(t, "the schema", string(schema), hidden)
}

func TestNoSecretIsInWhatIsWrongWithAFile(t *testing.T) {
	_, yaml, hidden := newSecretive(t)
	for name, broken := range map[string]string{
		"an unknown key":            strings.ReplaceAll(yaml, "key: sku", "kee: sku"),
		"no key":                    strings.ReplaceAll(yaml, "key: sku, ", ""),
		"a bad interval":            strings.ReplaceAll(yaml, "every: 1s", "every: soon"),
		"secrets with a line end":   strings.ReplaceAll(yaml, `"hunter2-`, `"\nhunter2-`),
		"secrets that are lists":    strings.ReplaceAll(strings.ReplaceAll(yaml, `"hunter2`, `["hunter2`), `",`, `"],`),
		"secrets that are mappings": strings.ReplaceAll(yaml, `: "hunter2`, `: !x "hunter2`),
		"every check of a webhook":  strings.ReplaceAll(yaml, "verify: {", `secret: "hunter2-x", verify: {`),
		"half a file":               yaml[:len(yaml)*2/3],
	} {
		if _, err := decode("pictifyd.yaml", []byte(broken), config.Options{}, Connectors(), Sinks()); err == nil {
			t.Errorf("%s: it is taken", name)
		} else {
			mustHide(t, name, err.Error(), hidden)
		}
	}
}
