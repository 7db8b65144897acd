package batch

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
)

func TestOrdersOfBothDialectsMeanTheSame(t *testing.T) {
	for name, pair := range map[string][2]string{
		"format":       {`{"html":"a","fileExtension":"jpg","quality":0.8}`, `{"html":"a","format":"jpeg","quality":80}`},
		"template":     {`{"templateUid":"card","layout":"story"}`, `{"template":"card","size":"story","variables":{}}`},
		"scale":        {`{"html":"a","deviceScaleFactor":2,"transparent":true}`, `{"html":"a","scale":2.0,"transparent":true,"selector":null}`},
		"nothing said": {`{"html":"a","url":"","fullPage":false,"waitForTimeout":0,"cookies":[],"headers":{}}`, `{"html":"a"}`},
		"version":      {`{"template":"card","version":17}`, `{"template":"card","version":"17"}`},
	} {
		one, err := DecodeOrder([]byte(pair[0]), ImageOrder)
		other, otherErr := DecodeOrder([]byte(pair[1]), ImageOrder)
		if err != nil || otherErr != nil {
			t.Errorf("%s: %v, %v", name, err, otherErr)
		}
		one.given, other.given = nil, nil
		if diff := cmp.Diff(one, other, cmp.AllowUnexported(Order{})); diff != "" {
			t.Errorf("%s (-one +other):\n%s", name, diff)
		}
	}
}

func TestWordsForMovingPicturesAreFrames(t *testing.T) {
	for body, want := range map[string]int{
		`{"html":"a"}`: bindings.DefaultFPS, `{"html":"a","quality":"low"}`: 10, `{"html":"a","quality":"medium"}`: 15, `{"html":"a","quality":"high"}`: 24,
		`{"html":"a","quality":"high","fps":5}`: 5, `{"html":"a","quality":80}`: bindings.DefaultFPS,
	} {
		o, err := DecodeOrder([]byte(body), GIFOrder)
		if err != nil || o.Outputs[0].Format != "gif" || o.Outputs[0].FPS != want {
			t.Errorf("%s: %+v, %v; want %d frames a second", body, o.Outputs, err, want)
		}
	}
}

func TestPagesOfNoPaperHaveASize(t *testing.T) {
	o, err := DecodeOrder([]byte(`{"html":"a","preset":"custom","customSize":{"width":300,"height":200},"printBackground":true}`), PDFOrder)
	if err != nil || o.Width != 300 || o.Height != 200 || o.Outputs[0].Format != "pdf" || o.Outputs[0].Paper != "" {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, body := range []string{`{"html":"a","customSize":{"width":300,"depth":2}}`, `{"html":"a","customSize":[1]}`, `{"html":"a","customSize":{"width":4001}}`,
		`{"html":"a","printBackground":false}`, `{"html":"a","scale":2}`} {
		if _, err := DecodeOrder([]byte(body), PDFOrder); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

func TestLargeOrdersAreRefused(t *testing.T) {
	for name, body := range map[string]string{
		"document": `{"html":"` + strings.Repeat("x", MaxOrderHTML+1) + `"}`,
		"row":      `{"html":"a","variables":{"a":"` + strings.Repeat("x", MaxRow) + `"}}`,
		"metadata": `{"html":"a","metadata":"` + strings.Repeat("x", MaxMetadata) + `"}`,
	} {
		if _, err := DecodeOrder([]byte(body), ImageOrder); err == nil {
			t.Errorf("a %s without bounds is taken", name)
		}
	}
}

func FuzzOrdersAreReadOrRefused(f *testing.F) {
	for _, body := range []string{
		`{"html":"a","width":3,"fps":2,"margins":{"top":1},"variables":{"a":[1]},"outputs":[{}],"response":"binary"}`, `{"variableSets":[{},7,null,[]],"template":"a"}`,
		`{"customSize":{"width":null}}`, `{"quality":"low","preset":"","version":null,"metadata":{}}`, `{"variables":"","html":7,"url":{}}`, `null`, `{"margin":"","duration":""}`,
	} {
		for kind := range 5 {
			f.Add([]byte(body), kind)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, kind int) {
		o, err := DecodeOrder(body, OrderKind((kind%5+5)%5))
		if err == nil && (len(o.Outputs) == 0 || len(o.Rows) == 0 || o.Metadata != nil && !json.Valid(o.Metadata)) {
			t.Errorf("%q gave %+v", body, o)
		}
	})
}
