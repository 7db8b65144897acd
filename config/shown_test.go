package config_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
)

func TestSectionIsShownWithoutItsSecrets(t *testing.T) {
	const src = `
name: shop
url: https://ada:hunter2@api.example/rows?token=tok-1234&page=2
dsn: host=db user=ada password='let me in' dbname=shop
note: from ${REGION}
secret: very-secret-text
headers: {Authorization: Bearer of-a-header}
every: 90s
tags: [one, very-secret-text]
own: {spelt: as written, of: "${SHORT}"}
`
	env := map[string]string{"REGION": "region-of-ours", "SHORT": "x1"}
	root, err := config.Parse("pictifyd.yaml", []byte(src), config.Options{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	into := struct {
		Name    string                   `yaml:"name"`
		URL     string                   `yaml:"url"`
		DSN     string                   `yaml:"dsn"`
		Note    string                   `yaml:"note"`
		Secret  config.Secret            `yaml:"secret"`
		Absent  config.Secret            `yaml:"absent"`
		Headers map[string]config.Secret `yaml:"headers"`
		Every   config.Duration          `yaml:"every"`
		Tags    []string                 `yaml:"tags"`
		Own     config.Node              `yaml:"own"`
		Limit   int                      `yaml:"limit"`
		Nothing *bool                    `yaml:"nothing"`
	}{Limit: 7}
	if err := root.Decode(&into); err != nil {
		t.Fatal(err)
	}
	shown := string(root.Shown(&into))
	for _, secret := range []string{"hunter2", "tok-1234", "let me in", "region-of-ours", "very-secret-text", "of-a-header", "x1"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is in %s", secret, shown)
		}
	}
	want := `{"name":"shop","url":"https://ada:***@api.example/rows?token=***&page=2","dsn":"host=db user=ada password=*** dbname=shop","note":"***","secret":"***","absent":"",` +
		`"headers":{"Authorization":"***"},"every":"1m30s","tags":["one","***"],"own":{"spelt":"as written","of":"***"},"limit":7,"nothing":null}`
	if shown != want || !json.Valid([]byte(shown)) {
		t.Errorf("it is shown as\n%s\nwant\n%s", shown, want)
	}
}
