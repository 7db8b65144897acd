package template_test

import (
	"testing"

	"github.com/pictifyd/pictifyd/template"
)

func TestADocumentTakesTheSizeThatItIsGiven(t *testing.T) {
	for name, tt := range map[string]struct {
		src           string
		width, height int
		want          [2]int
	}{
		"given":             {"<p>Hi</p>", 300, 200, [2]int{300, 200}},
		"half given":        {"<p>Hi</p>", 300, 0, [2]int{300, 630}},
		"not given":         {"<p>Hi</p>", 0, 0, [2]int{1200, 630}},
		"its own":           {`<script type="application/json" id="p-template">{"sizes":{"default":{"w":40,"h":50}}}</script><p>Hi`, 0, 0, [2]int{40, 50}},
		"over its own":      {`<script type="application/json" id="p-template">{"sizes":{"default":{"w":40,"h":50}}}</script><p>Hi`, 60, 70, [2]int{60, 70}},
		"with a body alone": {"<body style='background:red'>", 8, 9, [2]int{8, 9}},
	} {
		doc, err := template.ParseDocument([]byte(tt.src), nil, tt.width, tt.height)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		page, err := doc.Page(template.View{})
		if err != nil || [2]int{page.Width, page.Height} != tt.want {
			t.Errorf("%s: page of %dx%d, %v; want %v", name, page.Width, page.Height, err, tt.want)
		}
	}
}

func TestADocumentIsWhatATemplateMayBe(t *testing.T) {
	for _, src := range []string{
		"<script>alert(1)</script>", "<p onclick='x()'>", `<iframe src="http://127.0.0.1:8080/"></iframe>`,
		`<a href="javascript:x()">a</a>`, `<object data="x.swf"></object>`, "<meta http-equiv=refresh content='0;url=http://127.0.0.1/'>",
		`<svg><script>1</script></svg>`, `<link rel=stylesheet href="http://127.0.0.1/a.css">`,
	} {
		if _, err := template.ParseDocument([]byte(src), nil, 0, 0); err == nil {
			t.Errorf("%s is taken", src)
		}
	}
}
