package api

import (
	"net"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestConfigurationProblemsNameTheirPlace(t *testing.T) {
	long := config.NewSecret("long-enough-to-be-a-key")
	for name, c := range map[string]struct {
		cfg  Config
		path string // of the only problem; "": none
		hint string
	}{
		"default":            {DefaultConfig(), "", ""},
		"loopback by name":   {Config{Listen: "localhost:0"}, "", ""},
		"loopback of IPv6":   {Config{Listen: "[::1]:8080"}, "", ""},
		"every address":      {Config{Listen: ":8080"}, "listen", "keys:"},
		"a wider address":    {Config{Listen: "0.0.0.0:8080"}, "listen", "keys:"},
		"wider with a key":   {Config{Listen: "0.0.0.0:8080", Keys: []Key{{Key: long}}}, "", ""},
		"no port":            {Config{Listen: "127.0.0.1"}, "listen", "host:port"},
		"port too large":     {Config{Listen: "127.0.0.1:65536"}, "listen", "host:port"},
		"largest port":       {Config{Listen: "127.0.0.1:65535"}, "", ""},
		"public URL":         {Config{Listen: "localhost:1", PublicURL: "https://a.example"}, "", ""},
		"public URL, slash":  {Config{Listen: "localhost:1", PublicURL: "https://a.example/"}, "", ""},
		"public URL, path":   {Config{Listen: "localhost:1", PublicURL: "https://a.example/x"}, "public_url", "scheme and host"},
		"public URL, scheme": {Config{Listen: "localhost:1", PublicURL: "a.example"}, "public_url", "scheme and host"},
		"short key":          {Config{Listen: "localhost:1", Keys: []Key{{Key: config.NewSecret(strings.Repeat("k", minKey-1))}}}, "keys[0]", "openssl"},
		"shortest key":       {Config{Listen: "localhost:1", Keys: []Key{{Key: config.NewSecret(strings.Repeat("k", minKey))}}}, "", ""},
		"same key twice":     {Config{Listen: "localhost:1", Keys: []Key{{Key: long}, {Key: long}}}, "keys[1]", ""},
		"unknown scope":      {Config{Listen: "localhost:1", Keys: []Key{{Key: long, Scopes: []Scope{"render:write"}}}}, "keys[0].scopes[0]", "renders:write"},
		"URL key without id": {Config{Listen: "localhost:1", URLKeys: []URLKey{{Secret: long}}}, "url_keys[0].id", ""},
		"places below zero":  {Config{Listen: "localhost:1", Now: NowConfig{AtOnce: -1}}, "now.at_once", ""},
		"short URL secret":   {Config{Listen: "localhost:1", URLKeys: []URLKey{{ID: "k1", Secret: config.NewSecret("short")}}}, "url_keys[0].secret", ""},
		"two URL keys, 1 id": {Config{Listen: "localhost:1", URLKeys: []URLKey{{ID: "k1", Secret: long}, {ID: "k1", Secret: long}}}, "url_keys[1].id", ""},
		"URL keys to rotate": {Config{Listen: "localhost:1", URLKeys: []URLKey{{ID: "k1", Secret: long}, {ID: "k2", Secret: long}}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.cfg.Validate()
			if c.path == "" {
				if err != nil {
					t.Fatalf("got %v, want no problem", err)
				}
				return
			}
			list := problem.All(err)
			if len(list) != 1 || list[0].Path != c.path || !strings.Contains(list[0].Hint, c.hint) {
				t.Errorf("got %v, want one problem at %s with the hint %q", err, c.path, c.hint)
			}
		})
	}
}

func TestBaseURLIsWhatOthersCanReach(t *testing.T) {
	free := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 41234}
	for _, c := range []struct {
		cfg  Config
		addr net.Addr
		want string
	}{
		{DefaultConfig(), nil, "http://127.0.0.1:8080"},
		{Config{Listen: "127.0.0.1:0"}, free, "http://127.0.0.1:41234"},
		{Config{Listen: ":9000"}, nil, "http://localhost:9000"},
		{Config{Listen: "0.0.0.0:9000"}, nil, "http://localhost:9000"},
		{Config{Listen: "[::1]:9000"}, nil, "http://[::1]:9000"},
		{Config{Listen: ":9000", PublicURL: "https://a.example/"}, free, "https://a.example"},
	} {
		if got := c.cfg.BaseURL(c.addr); got != c.want {
			t.Errorf("%+v at %v: %s, want %s", c.cfg, c.addr, got, c.want)
		}
	}
}

func TestKeyMayBeJustItsText(t *testing.T) {
	const text = `
keys:
  - "${PICTIFYD_KEY}"
  - { name: ci, key: "${CI_KEY}", scopes: [renders:write], templates: [card] }
`
	env := map[string]string{"PICTIFYD_KEY": "key-from-the-environment", "CI_KEY": "key-of-the-build-server"}
	root, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	if err := root.Decode(&cfg); err != nil {
		t.Fatal(err)
	}
	ring := newKeyring(cfg, nil)
	all, ok := ring.find("key-from-the-environment")
	if !ok || !all.may(Admin) || !all.uses("anything") {
		t.Errorf("the bare key: %+v, %v", all, ok)
	}
	ci, ok := ring.find("key-of-the-build-server")
	if !ok || ci.name != "ci" || !ci.may(RendersRead) || ci.may(BindingsRead) || !ci.uses("card") || ci.uses("anything") {
		t.Errorf("the limited key: %+v, %v", ci, ok)
	}
	cfg = DefaultConfig()
	root, err = config.Parse("pictifyd.yaml", []byte("listen: 0.0.0.0:80\n"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p := problem.All(root.Decode(&cfg)); len(p) != 1 || p[0].Pos.Line != 1 || p[0].Path != "listen" {
		t.Errorf("got %v, want one problem at line 1", p)
	}
}
