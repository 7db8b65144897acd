package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewTemplateSaysWhatComesNext(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "templates")
	code, stdout, stderr := call("template", "new", "sale", "--from", "quote", "--dir", dir)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{
		"wrote " + filepath.Join(dir, "sale.html"), "template lint " + dir + " sale", "template test " + dir + " sale",
		"{ name: sale, source: SOURCE, template: sale }", "author",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code, stdout, stderr := call("template", "lint", dir, "sale"); code != exitDone || !strings.Contains(stdout, "0 warnings") {
		t.Errorf("lint: exit code %d: %s%s", code, stdout, stderr)
	}
}

func TestStartersAreListedWithTheirSizes(t *testing.T) {
	code, stdout, _ := call("template", "new", "--list")
	if code != exitDone || !strings.Contains(stdout, "quote") || !strings.Contains(stdout, "1080x1080") {
		t.Errorf("exit code %d:\n%s", code, stdout)
	}
	code, stdout, _ = call("template", "new", "--list", "--json")
	var got struct {
		Starters []struct{ Name, Summary string }
	}
	if err := json.Unmarshal([]byte(stdout), &got); code != exitDone || err != nil || len(got.Starters) == 0 || got.Starters[0].Summary == "" {
		t.Errorf("exit code %d, %v:\n%s", code, err, stdout)
	}
}

func TestTemplateCommandsEndWithWhoseFaultItIs(t *testing.T) {
	dir := templateFolder(t, "<p id=text>Hello</p>\n")
	file := filepath.Join(dir, "card.html")
	for name, c := range map[string]struct {
		stdin string
		args  []string
		says  string
	}{
		"no name":                  {"", []string{"new"}, "--list"},
		"an unknown starter":       {"", []string{"new", "sale", "--from", "quoet"}, `did you mean "quote"?`},
		"a name that cannot be":    {"", []string{"new", "../sale"}, "cannot be the name"},
		"a template that is there": {"", []string{"new", "card", "--dir", dir}, file + " is there already"},
		"a file as the folder":     {"", []string{"new", "sale", "--dir", file}, "not a folder"},
		"no folder to format":      {"", []string{"fmt", filepath.Join(dir, "none")}, "no templates folder"},
		"no template to format":    {"", []string{"fmt", dir, "badge"}, `"badge"`},
		"no operations":            {"", []string{"apply", dir, "card", "-f", filepath.Join(dir, "ops.json")}, "ops.json"},
		"no template to change":    {"[]", []string{"apply", dir, "badge", "-f", "-"}, `"badge"`},
		"an operation on nothing":  {`[{"op":"set_text","id":"txt","text":"x"}]`, []string{"apply", dir, "card", "-f", "-"}, "ops[0].id"},
		"a broken result":          {`[{"op":"set_text","id":"text","text":"{{ ( }}"}]`, []string{"apply", dir, "card", "-f", "-"}, "nothing is written"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := callWith(c.stdin, append([]string{"template"}, c.args...)...)
			if code != exitInput || !strings.Contains(stderr, c.says) {
				t.Errorf("exit code %d, want %d and %q: %s", code, exitInput, c.says, stderr)
			}
		})
	}
}

func TestFormatChecksBeforeItWrites(t *testing.T) {
	dir := templateFolder(t, "<!DOCTYPE html>\n<p>Hello</p>\n")
	code, stdout, stderr := call("template", "fmt", "--check", dir)
	if code != exitInput || stdout != "card: not in the canonical form\n" || !strings.Contains(stderr, "template fmt "+dir) {
		t.Errorf("check: exit code %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := call("template", "fmt", dir); code != exitDone || stdout != "card: formatted\n1 template, 1 changed\n" {
		t.Errorf("fmt: exit code %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := call("template", "fmt", "--check", "--json", dir); code != exitDone || !strings.Contains(stdout, `"changed":false`) {
		t.Errorf("check again: exit code %d: %s%s", code, stdout, stderr)
	}
}

func TestFormatPrintsWhatItImports(t *testing.T) {
	dir := templateFolder(t, "<!doctype html>\n<p _if=\"a\">Hello</p>\n")
	code, stdout, stderr := call("template", "fmt", "--import", dir, "card")
	if code != exitDone || !strings.Contains(stdout, "card: line 2: _if is p-if\n") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

func TestOperationsComeFromAFileOrStandardInput(t *testing.T) {
	dir := templateFolder(t, "<p id=\"text\">Hello</p>\n")
	inverse := filepath.Join(dir, "back.json")
	ops := `[{"op":"set_text","id":"text","text":"Bye"}]`
	code, stdout, stderr := callWith(ops, "template", "apply", dir, "card", "-f", "-", "--inverse", inverse)
	text, _ := os.ReadFile(filepath.Join(dir, "card.html"))
	if code != exitDone || !strings.HasPrefix(stdout, "card: changed text") || string(text) != "<p id=\"text\">Bye</p>\n" {
		t.Errorf("exit code %d: %s%s: %s", code, stdout, stderr, text)
	}
	code, stdout, stderr = call("template", "apply", dir, "card", "-f", inverse, "--json")
	text, _ = os.ReadFile(filepath.Join(dir, "card.html"))
	if code != exitDone || !strings.Contains(stdout, `"changed":true`) || string(text) != "<p id=\"text\">Hello</p>\n" {
		t.Errorf("exit code %d: %s%s: %s", code, stdout, stderr, text)
	}
}

func TestKindsOfOperationsAreListed(t *testing.T) {
	code, stdout, _ := call("template", "ops")
	if code != exitDone || !strings.Contains(stdout, "set_text") || strings.Contains(stdout, "restore") {
		t.Errorf("exit code %d:\n%s", code, stdout)
	}
	code, stdout, _ = call("template", "ops", "--json")
	var got struct {
		Operations []struct {
			Name   string
			Fields []struct{ Name, Type string }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &got); code != exitDone || err != nil || len(got.Operations) < 20 || len(got.Operations[0].Fields) == 0 {
		t.Errorf("exit code %d, %v:\n%s", code, err, stdout)
	}
}
