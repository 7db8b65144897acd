package edit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestForeignSpellingsBecomeOurs(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`<p data-p-if="a" data-x=1>b</p>`, `<p p-if="a" data-x=1>b</p>`},
		{`<p _if="{{ showBadge }}" id=a>b</p>`, `<p id=a p-if="showBadge">b</p>`},
		{`<p _if='a == "x"'>b</p>`, `<p p-if='a == "x"'>b</p>`},
		{`<p data-p-lock>b</p>`, `<p p-lock>b</p>`},
		{`{{#if sale}}<b>x</b>{{/if}}`, `<b p-if="sale">x</b>`},
		{"\n  {{#if a &amp;&amp; b}}\n  <b>x</b>\n  {{else if c}}\n  <i>y</i>\n  {{else}}\n  <u>z</u>\n  {{/if}}\n", "\n  <b p-if=\"a && b\">x</b>\n  <i p-else-if=\"c\">y</i>\n  <u p-else>z</u>\n"},
		{`{{ if a > 1 }}<b>x</b>{{ else }}<i>y</i>{{ end }}`, `<b p-if="a > 1">x</b><i p-else>y</i>`},
		{`{{#unless a}}<b>x</b>{{/unless}}`, `<b p-if="!(a)">x</b>`},
		{`<p>{{#if a}}one{{else}}two{{/if}}</p>`, `<p>{{#if a}}one{{else}}two{{/if}}</p>`},
		{`<p>{{#if a}}one <b>x</b>{{else}}two{{/if}}</p>`, `<p><span p-if="a" style="display: contents">one <b>x</b></span><span p-else style="display: contents">two</span></p>`},
		{`<div>{{#if a}}<p>1</p><p>2</p>{{/if}}</div>`, `<div><div p-if="a" style="display: contents"><p>1</p><p>2</p></div></div>`},
		{`<section class="p-page">{{#if a}}<p>1</p><p>2</p>{{else}}<p>3</p>{{/if}}</section>`, `<section class="p-page"><p p-if="a">1</p><p p-if="a">2</p><p p-if="!(a)">3</p></section>`},
		{`{{#if a}}{{else}}<b>x</b>{{/if}}`, `<b p-if="!(a)">x</b>`},
		{`{{#if a}}{{#if b}}<b>x</b>{{/if}}{{/if}}`, `<span p-if="a" style="display: contents"><b p-if="b">x</b></span>`},
		{`<section class="p-page">{{#if a}}<p>1</p>{{#if b}}<p>2</p>{{/if}}{{/if}}</section>`, `<section class="p-page"><p p-if="a">1</p><p p-if="(a) && (b)">2</p></section>`},
		{`<ul>{{#each items as i,idx}}<li>{{ idx }}: {{ i.name }}</li>{{/each}}</ul>`, `<ul><li p-for="i, idx in items">{{ idx }}: {{ i.name }}</li></ul>`},
		{`<ul>{{#each items as |i idx|}}<li>{{ i }}</li>{{/each}}</ul>`, `<ul><li p-for="i, idx in items">{{ i }}</li></ul>`},
		{`<ul>{{#each a.b}}<li title="{{ this.c }}">{{ this }} {{ "this" }} {{ @index + 1 }}</li>{{else}}<li>none</li>{{/each}}</ul>`, `<ul><li p-for="item, index in a.b" title="{{ item.c }}">{{ item }} {{ "this" }} {{ index + 1 }}</li><li p-empty>none</li></ul>`},
		{`{{#each rows}}<tr>{{#each this.cells}}<td>{{ this }} {{ ../title }}</td>{{/each}}</tr>{{/each}}`, `<tr p-for="outerItem in rows"><td p-for="item in outerItem.cells">{{ item }} {{ title }}</td></tr>`},
		{`{{ for f in features }}<b>{{ f }}</b>{{ end }}`, `<b p-for="f in features">{{ f }}</b>`},
		{`{{#each a}}{{ this }}, {{/each}}`, `{{#each a}}{{ this }}, {{/each}}`},
		{`{{#if a}}<b>x`, `{{#if a}}<b>x`},
		{`<div>{{#if a}}<b>x</b></div>{{/if}}`, `<div>{{#if a}}<b>x</b></div>{{/if}}`},
		{`<style>{{#if a}}</style><b></b>`, `<style>{{#if a}}</style><b></b>`},
	} {
		got, changes, err := Import([]byte(c.src))
		if err != nil {
			t.Fatalf("%s: %v", c.src, err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.src, diff)
		}
		if c.src != c.want && len(changes) == 0 {
			t.Errorf("%s: nobody is told", c.src)
		}
		again, _, err := Import(got)
		if diff := cmp.Diff(string(got), string(again)); err != nil || diff != "" {
			t.Errorf("%s is imported otherwise again: %v\n%s", c.src, err, diff)
		}
	}
}

func TestTheUserIsToldWhatWasImported(t *testing.T) {
	_, got, err := Import([]byte("<p>\n{{#if a}}\n<b id=x>1</b>\n{{/if}}\n</p>\n<i data-p-name=n></i>{{#if b}}"))
	want := []string{
		`line 2: {{#if a}} is p-if on <b id="x">`,
		`line 6: data-p-name is p-name`,
		`line 6: {{#if b}} stays: nothing beside it closes that block`,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestCanvasDocumentsAreRefused(t *testing.T) {
	_, _, err := Import([]byte(` {"version":"5.3.0","objects":[{"type":"textbox"}]}`))
	if p := first(err); p.Code != problem.Unsupported || !strings.Contains(p.Message, "canvas") || p.Hint == "" {
		t.Errorf("%v", err)
	}
}

func TestImportLeavesOurOwnDocumentsAsTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{T: t}
		src := g.document()
		got, changes, err := Import([]byte(src))
		if err != nil || string(got) != src || len(changes) > 0 {
			t.Fatalf("%v: %q\n%s", err, changes, cmp.Diff(src, string(got)))
		}
	})
}

func FuzzImport(f *testing.F) {
	for _, src := range []string{`{{#if a}}<b>x</b>{{else}}y{{/if}}`, `{{#each a}}<p _if=x>{{this}}</p>{{/each}}`, `<p>{{ if a }}<b>{{ end }}`} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		got, _, err := Import([]byte(src))
		if err != nil {
			return
		}
		again, _, err := Import(got)
		if err != nil || string(again) != string(got) {
			t.Errorf("%q becomes %q, and then %q: %v", src, got, again, err)
		}
	})
}
