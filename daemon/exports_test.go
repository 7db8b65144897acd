package daemon

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/pdf"
)

func TestPDFsOfRowsBecomeOne(t *testing.T) {
	data, err := os.ReadFile("../render/pdf/testdata/chrome.pdf")
	if err != nil {
		t.Fatal(err)
	}
	one, err := pdf.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := mergePDF(&out, func(yield func(api.PDFPart, error) bool) {
		_ = yield(api.PDFPart{Data: data, Mark: "C-1"}, nil) && yield(api.PDFPart{Data: data, Mark: "C-2"}, nil)
	}); err != nil {
		t.Fatal(err)
	}
	merged, err := pdf.Open(out.Bytes())
	if err != nil || len(merged.Pages()) != 2*len(one.Pages()) || !bytes.Contains(out.Bytes(), []byte("(C-2)")) {
		t.Errorf("%v, %d pages, want twice %d", err, len(merged.Pages()), len(one.Pages()))
	}
	gone := errors.New("the store is away")
	if err := mergePDF(io.Discard, func(yield func(api.PDFPart, error) bool) { yield(api.PDFPart{}, gone) }); !errors.Is(err, gone) {
		t.Errorf("a part that cannot be had: %v", err)
	}
	if err := mergePDF(io.Discard, func(yield func(api.PDFPart, error) bool) { yield(api.PDFPart{Data: []byte("no PDF")}, nil) }); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("a part that is none: %v", err)
	}
}
