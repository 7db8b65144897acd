package daemon

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
)

const sharedStore = "store: { url: \"postgres://pictifyd@db/pictifyd\" }\n"

func TestRolesAreRefusedWithTheirReason(t *testing.T) {
	for yaml, want := range map[string]string{
		"roles: [rendr]\n" + sharedStore:           `pictifyd.yaml:1:8: roles: there is no role "rendr" (did you mean "render"?)`,
		"roles: [api, api]\n" + sharedStore:        `the role "api" stands here twice`,
		"roles: [render]\n":                        `with roles: [render], the store has to be in PostgreSQL: with SQLite one process does everything`,
		"roles: [deliver]\n" + sharedStore:         `with roles: [deliver], server.public_url has to be set`,
		"roles: [connect, render]\n" + sharedStore: `with roles: [connect, render], server.public_url has to be set`,
		"roles: []\n":                              "",
		"roles: [render]\n" + sharedStore:          "",
		"roles: [deliver, connect, api, render]\n": "",
		"roles: [api]\nserver: { public_url: \"https://images.example.com\" }\n" + sharedStore: "",
	} {
		_, err := decode("pictifyd.yaml", []byte(yaml), config.Options{}, Connectors(), Sinks())
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", yaml, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", yaml, err, want)
		}
	}
}

func TestRolesOfTheCommandLineTakeThePlaceOfThoseOfTheFile(t *testing.T) {
	s, err := decode("pictifyd.yaml", []byte("roles: [render]\n"+sharedStore), config.Options{}, Connectors(), Sinks())
	if err != nil {
		t.Fatal(err)
	}
	roles, err := ParseRoles("render, connect")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.With(roles); err == nil || !strings.Contains(err.Error(), "with --roles connect,render, server.public_url has to be set") {
		t.Errorf("refused with %v", err)
	}
	s.Server.PublicURL = "https://images.example.com"
	with, err := s.With(roles)
	if err != nil || with.Roles.Member() || !with.Roles.Partial() || !s.Roles.Member() {
		t.Errorf("the roles are %v, those of the file %v, %v", with.Roles, s.Roles, err)
	}
	if _, err := ParseRoles("conect"); err == nil || !strings.Contains(err.Error(), `did you mean "connect"?`) {
		t.Errorf("an unknown role is refused with %v", err)
	}
	if all, err := ParseRoles("api,connect,render,deliver"); err != nil || all.Partial() {
		t.Errorf("all roles are %v, %v", all, err)
	}
}
