package api

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

const fontsPath = "/templates/" + testTemplate + "/draft/fonts"

func TestFontsAreLookedAt(t *testing.T) {
	data, err := os.ReadFile("../template/starter/templates/assets/fonts/inter-latin.woff2")
	if err != nil {
		t.Fatal(err)
	}
	s := mustServer(t, open(), tried(t))
	font := func(path string) call {
		return call{method: http.MethodPost, path: path, body: string(data)}.with("Content-Type", "application/octet-stream")
	}
	v := mustAnswer[struct{ Font fontView }](t, font(fontsPath+"?dryRun=1").to(t, s), 200).Font
	if v.Family == "" || v.Weight != "100 900" || v.Format != "woff2" || !strings.HasPrefix(v.Path, "assets/fonts/inter") || v.Restricted || len(v.Scripts) == 0 {
		t.Errorf("Inter is %+v", v)
	}
	mustProblem(t, font(fontsPath).to(t, s), 428, "if_match_missing")
	mustProblem(t, font(fontsPath+"?dryRun=1&name=../../x").to(t, s), 422, "invalid")
	mustProblem(t, call{method: http.MethodPost, path: fontsPath + "?dryRun=1", body: "no font"}.with("Content-Type", "application/octet-stream").to(t, s), 415, "not_a_font")
	if all := mustAnswer[fontsView](t, get("/fonts?template="+testTemplate).to(t, s), 200); len(all.Families) != 1 || !all.Complete || all.Families[0].Family != "DejaVu Sans" {
		t.Errorf("the families are %+v", all)
	}
}

func TestRuleOfAFontEndsNothing(t *testing.T) {
	for source, want := range map[string]string{
		"<html><head></head><body></body></html>": `"old":"\u003c/head\u003e"`, `<style id="p-tokens">:root{}</style></head>`: "p-tokens", `<style id="p-fonts"></style></head>`: "p-fonts",
	} {
		rule, err := faceRule(source, fontView{Family: `Evil"; } </style><script>{{ x }}`, Path: "assets/fonts/a.woff2", Format: "woff2", Weight: "400"})
		if err != nil || !strings.Contains(string(rule), want) {
			t.Errorf("%s: %s %v", source, rule, err)
		}
		if strings.Contains(string(rule), "script") && strings.Contains(string(rule), `\u003cscript`) || strings.Contains(string(rule), "{{") {
			t.Errorf("a family's name stands in the document as it is: %s", rule)
		}
	}
	if _, err := faceRule("<p>x</p>", fontView{Format: "ttf"}); err == nil {
		t.Error("a document without a head takes a rule")
	}
}
