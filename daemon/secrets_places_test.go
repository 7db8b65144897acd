package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// everyGet is a request for each GET of the API, each parameter of a path being
// every name that there is of its kind.
func everyGet(t *testing.T, document string) (paths []string) {
	t.Helper()
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(document), &api); err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{
		"bindings": {"cards", "others"}, "templates": {"card"}, "experiments": {"none"}, "keys": {"all"}, "jobs": {"none"}, "docs": {"keys.md"}, "errors": {"not_ready"},
		"sources": {"bearer", "basic", "apikey", "oauth", "dead", "sheet", "robot", "table", "topic", "topic2", "hook1", "hook6", "mine"},
		"sinks":   {"hook", "column", "events", "ring", "crm1", "crm2", "bucket"},
	}
	parameter := regexp.MustCompile(`\{[^}]*\}`)
	for path, methods := range api.Paths {
		if methods["get"] == nil {
			continue
		}
		room, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		first := names[room]
		if first == nil {
			first = []string{"x"}
		}
		for _, name := range first {
			named := path
			if at := parameter.FindStringIndex(named); at != nil {
				named = named[:at[0]] + name + named[at[1]:]
			}
			named = strings.ReplaceAll(named, "{number}", "1")
			named = strings.ReplaceAll(named, "{key}", "A")
			paths = append(paths, parameter.ReplaceAllString(named, "x"))
		}
	}
	return paths
}

// answerOf is the answer to a GET of a stream its first event.
func answerOf(t *testing.T, address, path, key string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer res.Body.Close()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		event := make([]byte, 64<<10)
		n, _ := res.Body.Read(event)
		return res.StatusCode, string(event[:n])
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return res.StatusCode, string(body)
}

func TestNoAnswerShowsASecret(t *testing.T) {
	s, _, hidden := newSecretive(t)
	logs := map[string]*locked{"text": {}, "JSON": {}}
	address, _ := s.run(Options{Renderer: &rendertest.Null{}, Log: slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(logs["text"], &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}),
		slog.NewJSONHandler(logs["JSON"], &slog.HandlerOptions{Level: slog.LevelDebug}),
	))})
	const key = "hunter2-key-of-the-server"
	eventually(t, "what every source that is read says of its failure", func() bool {
		_, text := answerOf(t, address, "/sources", key)
		return failedReadings(t, text) == 8
	})
	_, document := answerOf(t, address, "/openapi.json", key)
	paths, answered := everyGet(t, document), 0
	for _, path := range paths {
		status, text := answerOf(t, address, path, key)
		if status < 400 {
			answered++
		}
		mustHide(t, fmt.Sprintf("GET %s (%d)", path, status), text, hidden)
	}
	if len(paths) < 100 || answered < len(paths)/3 {
		t.Errorf("%d of %d paths were answered", answered, len(paths))
	}
	for form, log := range logs {
		if len(log.String()) < 500 {
			t.Errorf("the log as %s has only %s", form, log)
		}
		mustHide(t, "the log as "+form, log.String(), hidden)
	}
}

// secretiveBucket is a bucket for images in the place of a folder.
const secretiveBucket = `
blobs: { url: "s3://images/cards?region=us-east-1&endpoint=http://127.0.0.1:1", access_key: "hunter2-bucket-id", secret_key: "hunter2-bucket-key", session_token: "hunter2-bucket-token" }
`

func mustDecode(t *testing.T, yaml string) *Settings {
	t.Helper()
	s, err := decode("pictifyd.yaml", []byte(yaml), config.Options{}, Connectors(), Sinks())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNoSecretOfABucketIsShown(t *testing.T) {
	hidden := secretsOfSettings(mustDecode(t, secretiveBucket))
	if len(hidden) != 3 {
		t.Fatalf("its secrets are %v", slices.Sorted(maps.Keys(hidden)))
	}
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>AccessDenied</Code><Message>%s %s hunter2-bucket-id hunter2-bucket-key</Message></Error>", r.URL, r.Header)
	}))
	t.Cleanup(store.Close)
	for name, yaml := range map[string]string{
		"nobody there": secretiveBucket, "a store that refuses": strings.Replace(secretiveBucket, "http://127.0.0.1:1", store.URL, 1),
	} {
		s := newSite(t, yaml+catalogWithHook)
		s.write("rows.csv", csvRows(1, "one"))
		settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		log := new(locked)
		ctx, stop := context.WithCancel(t.Context())
		said := ""
		err = Run(ctx, settings, Options{
			Renderer: &rendertest.Null{}, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Listening: func(addr net.Addr) {
				go func() {
					defer stop()
					for _, path := range []string{"/system", "/readyz", "/overview", "/metrics"} {
						_, text := answerOf(t, "http://"+addr.String(), path, "")
						said += text
					}
				}()
			},
		})
		stop()
		if err == nil && said == "" {
			t.Errorf("%s: it says nothing", name)
		}
		mustHide(t, name, fmt.Sprintf("%v\n%+v\n%#v\n%s\n%s", err, err, err, log, said), hidden)
	}
}

// A secret that is not written as it should be is a problem of the file, which must
// not quote it. Each is broken alone, in each way.
func TestNoSecretIsInTheErrorOfItsOwnPlace(t *testing.T) {
	_, yaml, hidden := newSecretive(t)
	maps.Copy(hidden, secretsOfSettings(mustDecode(t, secretiveBucket)))
	yaml += secretiveBucket
	refused, quoted := 0, regexp.MustCompile(`"[^"\n]*hunter2-[^"\n]*"`)
	for _, at := range quoted.FindAllStringIndex(yaml, -1) {
		value := yaml[at[0]:at[1]]
		for _, broken := range []string{
			"[[" + value + "]]", "{ a: " + value + " }", "!!int " + value, "!!binary " + value, "*" + value[1:len(value)-1], "&a " + value + " " + value, value + value,
			"${" + value[1:len(value)-1] + "}", "|\n" + value, value[:len(value)-1], "'" + value[1:len(value)-1] + "''",
		} {
			_, err := decode("pictifyd.yaml", []byte(yaml[:at[0]]+broken+yaml[at[1]:]), config.Options{}, Connectors(), Sinks())
			if err != nil {
				refused++
				mustHide(t, "instead of "+value+" "+broken, err.Error(), hidden)
				mustHide(t, "in full, instead of "+value+" "+broken, fmt.Sprintf("%+v %#v", err, err), hidden)
			}
		}
	}
	if refused < 300 {
		t.Errorf("only %d broken files were refused", refused)
	}
}

// Whoever names the wrong kind of server by an address with a password is told so
// without the password.
func TestNoPasswordOfAnAddressIsInAnError(t *testing.T) {
	const password = "hunter2-of-the-address"
	hidden := map[string][]string{"the password": {password}}
	refused := 0
	for _, scheme := range []string{"mysql", "ftp", "postgres", "https", "s3", "file", "kafka", "http"} {
		for _, rest := range []string{"@host:port/db", "@host/db?x=%zz", "@[::1/db", "@host:1/db", "@/", "@host/\x7f"} {
			address := fmt.Sprintf("%q", scheme+"://me:"+password+rest)
			for _, yaml := range []string{
				"store: { url: ADDRESS }", "blobs: { url: ADDRESS }", "server: { public_url: ADDRESS }", "server: { listen: ADDRESS }", "server: { origins: [ADDRESS] }",
				"egress: { proxy: ADDRESS }", "egress: { allow: [ADDRESS] }", "templates: ADDRESS",
				"copilot: { models: [{ name: a, kind: openai, url: ADDRESS, model: x }] }",
				"sources: { a: { kind: http, key: sku, url: ADDRESS } }", "sources: { a: { kind: postgres, table: t, dsn: ADDRESS } }",
				"sources: { a: { kind: kafka, brokers: [ADDRESS], topic: t, key: sku } }", "sources: { a: { kind: kafka, brokers: [\"h:1\"], topic: t, key: sku, format: avro, schema_registry: { url: ADDRESS } } }",
				"sources: { a: { kind: sheets, spreadsheet: ADDRESS, key: sku, api_key: \"abcdefgh\" } }", "sources: { a: { kind: sheets, spreadsheet: \"1AbC\", endpoint: ADDRESS, key: sku, api_key: \"abcdefgh\" } }",
				"sinks: { a: { kind: webhook, url: ADDRESS } }", "sinks: { a: { kind: http, url: ADDRESS } }", "sinks: { a: { kind: postgres, dsn: ADDRESS, table: t, key: { a: key }, set: { b: url } } }",
				"sinks: { a: { kind: kafka, brokers: [ADDRESS], topic: t } }", "sinks: { a: { kind: s3, bucket: b, path: \"{{ key }}\", endpoint: ADDRESS } }", "sinks: { a: { kind: file, path: ADDRESS } }",
			} {
				text := strings.ReplaceAll(yaml, "ADDRESS", address)
				if _, err := decode("pictifyd.yaml", []byte(text), config.Options{}, Connectors(), Sinks()); err != nil {
					refused++
					mustHide(t, text, fmt.Sprintf("%v\n%+v\n%#v", err, err, err), hidden)
				}
			}
		}
	}
	if refused < 300 {
		t.Errorf("only %d addresses were refused", refused)
	}
}

// The ledger's own address, of a server that is there and of some that are not.
func TestPasswordOfTheLedgerIsNotShown(t *testing.T) {
	const password = "hunter2-of-the-ledger"
	hidden := map[string][]string{"the ledger's password": {password}}
	base, err := url.Parse(newDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(u *url.URL)) string {
		u := *base
		u.User = url.UserPassword(base.User.Username(), password)
		change(&u)
		return u.String()
	}
	for name, address := range map[string]string{
		"no server":     with(func(u *url.URL) { u.Host = "127.0.0.1:1" }),
		"no database":   with(func(u *url.URL) { u.Path = "/none-of-this-name" }),
		"no user":       with(func(u *url.URL) { u.User = url.UserPassword("nobody-of-this-name", password) }),
		"no such mode":  with(func(u *url.URL) { u.RawQuery = "sslmode=perhaps" }),
		"no encryption": with(func(u *url.URL) { u.RawQuery = "sslmode=verify-full" }),
	} {
		s := newBareSite(t, fmt.Sprintf("store: { url: %q }", address))
		log := new(locked)
		settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
		if err == nil {
			err = Run(t.Context(), settings, Options{Renderer: &rendertest.Null{}, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		}
		if err == nil {
			t.Errorf("%s: it runs", name)
			continue
		}
		mustHide(t, name, fmt.Sprintf("%v\n%+v\n%#v\n%s", err, err, err, log), hidden)
	}
	s := newBareSite(t, fmt.Sprintf("store: { url: %q }\n%s", with(func(*url.URL) {}), catalogWithHook))
	s.write("rows.csv", csvRows(2, "one"))
	log := new(locked)
	address, _ := s.run(Options{Renderer: &rendertest.Null{}, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	for _, path := range []string{"/system", "/overview", "/metrics", "/readyz", "/sources"} {
		status, text := answerOf(t, address, path, "")
		if status != http.StatusOK {
			t.Errorf("%s: status %d: %s", path, status, text)
		}
		mustHide(t, path, text, hidden)
	}
	mustHide(t, "the log", log.String(), hidden)
}

// A crash prints what is on the stacks.
func TestNoSecretIsInACrash(t *testing.T) {
	s, _, hidden := newSecretive(t)
	p := s.start("GOTRACEBACK=all")
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-p.done
	text := p.log.String()
	if !strings.Contains(text, "SIGQUIT") || strings.Count(text, "\ngoroutine ") < 10 {
		t.Errorf("it says\n%s", text)
	}
	mustHide(t, "the crash", text, hidden)
}

// Who else has an account on the machine reads neither the ledger, nor the key that
// seals what is in it, nor the images of private bindings.
func TestNeighboursReadNothing(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	s := newBareSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(2, "one"))
	address, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: address}
	eventually(t, "two images", func() bool { return p.ready("cards") == 2 })
	files := 0
	err := filepath.WalkDir(filepath.Join(s.dir, "data"), func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if path == filepath.Join(s.dir, "data") {
			if info.Mode().Perm() != 0o700 {
				t.Errorf("%s is %v", path, info.Mode())
			}
			return nil
		}
		if !entry.IsDir() {
			files++
		}
		if strings.Contains(filepath.Base(path), "pictifyd.db") && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 3 {
		t.Errorf("%d files, %v", files, err)
	}
}
