package sheets_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// newShop is a spreadsheet that only its account may read.
func newShop(tb testing.TB, o sheetstest.Options) (s *stage, account *sheetstest.Account) {
	tb.Helper()
	s = &stage{e: sheetstest.New(o)}
	s.book = s.e.Add("BOOK", "Shop")
	s.sheet = s.book.AddSheet("Products", products(3)...)
	address := sheetstest.Serve(tb, s.e)
	s.cfg = newConfig(address)
	account = s.e.Account("pictifyd", "shop-project")
	s.cfg.Credentials = config.NewSecret(account.JSON(address))
	return s, account
}

func TestAServiceAccountReadsWhatIsSharedWithIt(t *testing.T) {
	s, account := newShop(t, sheetstest.Options{})
	p := s.poller(t)
	if e := mustFail(t, p, "share the spreadsheet with "+account.Email); e.Code != problem.Forbidden {
		t.Errorf("code %s", e.Code)
	}
	s.book.Share(account.Email)
	cursor := mustPoll(t, p, nil).Closing.Cursor
	for range 3 {
		mustPoll(t, p, cursor)
	}
	if n := s.e.Exchanges(); n != 1 {
		t.Errorf("%d tokens for one source", n)
	}
	s.cfg.Drive = true // with its scope
	mustPoll(t, s.poller(t), nil)
	s.book.Unshare(account.Email)
	mustFail(t, p, "share the spreadsheet with "+account.Email)
}

func TestATokenThatIsOverIsReplaced(t *testing.T) {
	s, account := newShop(t, sheetstest.Options{})
	s.book.Share(account.Email)
	p := s.poller(t)
	cursor := mustPoll(t, p, nil).Closing.Cursor
	s.e.Revoke()
	s.sheet.Write("C2", 5)
	if r := mustPoll(t, p, cursor); len(r.Rows) != 3 {
		t.Errorf("%d rows with a new token", len(r.Rows))
	}
	// A deleted account gets none, and nothing is hammered.
	s.e.Revoke()
	s.e.Remove(account)
	before := len(s.e.Calls())
	if e := mustFail(t, p, "Google refuses the credentials", "invalid_grant", "make a new key"); e.Code != problem.Unauthorized {
		t.Errorf("code %s", e.Code)
	}
	if n := len(s.e.Calls()) - before; n > 2 {
		t.Errorf("%d requests without a token", n)
	}
}

func TestAKeyOfAnotherAccountIsRefused(t *testing.T) {
	s, account := newShop(t, sheetstest.Options{})
	s.book.Share(account.Email)
	other := s.e.Account("other", "shop-project")
	forged := strings.ReplaceAll(other.JSON(s.cfg.Endpoint), other.Email, account.Email)
	s.cfg.Credentials = config.NewSecret(forged)
	mustFail(t, s.poller(t), "Invalid JWT Signature")
}

func TestAnAPIKeyReadsWhatIsPublic(t *testing.T) {
	s, _ := newShop(t, sheetstest.Options{})
	s.cfg.Credentials, s.cfg.APIKey = config.Secret{}, config.NewSecret(s.e.Key("shop-project"))
	p := s.poller(t)
	e := mustFail(t, p, "anyone with the link")
	if strings.Contains(e.Error(), s.cfg.APIKey.Reveal()) {
		t.Errorf("%v shows the key", e)
	}
	s.book.Publish()
	mustPoll(t, p, nil)
	s.cfg.APIKey = config.NewSecret("AIzaWrong")
	mustFail(t, s.poller(t), "the API key is not valid")
	// The key stands in no address, where a proxy would log it.
	var addresses strings.Builder
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addresses.WriteString(r.URL.String())
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	s.cfg.Endpoint = server.URL
	mustFail(t, s.poller(t), "404")
	if strings.Contains(addresses.String(), "AIza") {
		t.Errorf("the key stands in %s", addresses.String())
	}
}

func TestTheMachinesOwnCredentialsServeTheOperator(t *testing.T) {
	s, account := newShop(t, sheetstest.Options{})
	s.book.Share(account.Email)
	file := filepath.Join(t.TempDir(), "sa.json")
	if err := os.WriteFile(file, []byte(s.cfg.Credentials.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	s.cfg.Credentials = config.Secret{}

	// With an endpoint of its own and without credentials none are sent.
	mustFail(t, s.poller(t), "set credentials_file or api_key")

	// Google's own address is never reached by a test: all goes to the emulator.
	cfg := newConfig("")
	cfg.Endpoint = ""
	p, err := sheets.NewThrough(cfg, s.cfg.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer p.(io.Closer).Close()
	if r := mustPoll(t, p, nil); len(r.Rows) != 3 {
		t.Errorf("%d rows", len(r.Rows))
	}
}

// A gate is a client that notes which hosts it was asked for.
type gate struct {
	mu    sync.Mutex
	hosts map[string]bool
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	g.hosts[r.URL.Host+r.URL.Path] = true
	g.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

func TestASourceOfCallersReachesOutOnlyThroughItsClient(t *testing.T) {
	s, account := newShop(t, sheetstest.Options{})
	s.book.Share(account.Email)
	s.cfg.Drive = true
	g := &gate{hosts: map[string]bool{}}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	p, err := sheets.Kind.New(s.cfg, connectors.Env{Name: "sheet", Client: &http.Client{Transport: g}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.(io.Closer).Close()
	mustPoll(t, p, nil)
	host := strings.TrimPrefix(s.cfg.Endpoint, "http://")
	for _, path := range []string{"/token", "/v4/spreadsheets/BOOK", "/v4/spreadsheets/BOOK/values:batchGet", "/drive/v3/files/BOOK"} {
		if !g.hosts[host+path] {
			t.Errorf("%s was not asked for through the client: %v", path, g.hosts)
		}
	}
	if len(s.e.Calls()) == 0 || len(g.hosts) != 4 {
		t.Errorf("asked for %v", g.hosts)
	}
	want := map[string]string{"endpoint": s.cfg.Endpoint, "credentials": s.cfg.Endpoint + "/token"}
	equal(t, want, s.cfg.Addresses())
}

func TestASourceOfCallersNeverUsesTheMachinesCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "never.json"))
	env := connectors.Env{Name: "sheet", Client: &http.Client{Transport: &gate{hosts: map[string]bool{}}}}
	for text, want := range map[string]string{
		"": "needs the JSON of a service account, or an api_key",
		`{"type":"external_account","credential_source":{"executable":{"command":"/bin/true"}}}`: `not one of type "external_account"`,
		`{"type":"authorized_user","refresh_token":"x"}`:                                         `not one of type "authorized_user"`,
		`{"type":"impersonated_service_account"}`:                                                `not one of type "impersonated_service_account"`,
	} {
		cfg := newConfig("")
		cfg.Credentials = config.NewSecret(text)
		if _, err := sheets.Kind.New(cfg, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestNoSecretIsLogged(t *testing.T) {
	t.Setenv("GOOGLE_SDK_GO_LOGGING_LEVEL", "debug")
	s, account := newShop(t, sheetstest.Options{Disabled: map[string]bool{"drive": true}})
	s.book.Share(account.Email)
	s.cfg.Drive = true
	var out bytes.Buffer
	stderr := os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	p, err := sheets.Kind.New(s.cfg, connectors.Env{Name: "sheet", Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err == nil {
		var rec connectortest.Recorder
		err = p.Poll(t.Context(), nil, rec.Emit)
		_ = p.(io.Closer).Close()
	}
	os.Stderr = stderr
	_ = w.Close()
	printed, _ := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"PRIVATE KEY", "ya29.", "assertion"} {
		if strings.Contains(out.String()+string(printed), secret) {
			t.Errorf("%q stands in the log:\n%s%s", secret, out.String(), printed)
		}
	}
	if !strings.Contains(out.String(), "Drive") {
		t.Errorf("nothing is said of Drive: %s", out.String())
	}
}
