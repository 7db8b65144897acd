package assets

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html/charset"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// In an <img> Chrome runs no script of an SVG and loads nothing for it. The same
// bytes, though, may be opened by a person from the daemon's own origin, and what
// an SVG refers to outside would be a hole in the picture. So an SVG is taken
// only if it is complete and inert.

// checkSVG reports why the SVG in r may not be used, nil if it may.
func checkSVG(r io.Reader) *problem.Error {
	for d := newDecoder(r); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return problem.New(problem.Invalid, "damaged SVG: %w", err)
		}
		if err := checkToken(token); err != nil {
			return err
		}
	}
}

func checkToken(token xml.Token) *problem.Error {
	switch t := token.(type) {
	case xml.Directive:
		// Entities unpack without bound, and can bring in files.
		if strings.Contains(strings.ToUpper(string(t)), "<!ENTITY") {
			return problem.New(problem.Unsupported, "SVG declares entities")
		}
	case xml.ProcInst:
		if t.Target == "xml-stylesheet" {
			return problem.New(problem.Unsupported, "SVG has a style sheet outside")
		}
	case xml.StartElement:
		return checkElement(t)
	}
	return nil
}

func checkElement(e xml.StartElement) *problem.Error {
	switch name := strings.ToLower(e.Name.Local); name {
	case "script", "foreignobject", "iframe", "object", "embed", "handler":
		return problem.New(problem.Unsupported, "SVG contains <%s>", e.Name.Local)
	}
	for _, a := range e.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.TrimSpace(a.Value))
		switch {
		case strings.HasPrefix(name, "on"):
			return problem.New(problem.Unsupported, "SVG contains a script in %s", a.Name.Local)
		case name == "attributename" && strings.HasSuffix(value, "href"):
			return problem.New(problem.Unsupported, "SVG animates a reference")
		case name != "href" && name != "src":
		case strings.HasPrefix(value, "#"), strings.HasPrefix(value, "data:image/"), value == "":
		case e.Name.Local == "a" && !strings.HasPrefix(value, "javascript:"):
		default:
			return problem.New(problem.Unsupported, "SVG refers to %.60q", a.Value)
		}
	}
	return nil
}

// isSVG reports whether the first element in r is <svg>.
func isSVG(r io.Reader) bool {
	for d := newDecoder(r); ; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t.Name.Local == "svg"
		case xml.CharData:
			if strings.TrimLeft(string(t), "\ufeff \t\r\n") != "" {
				return false
			}
		}
	}
}

func newDecoder(r io.Reader) *xml.Decoder {
	d := xml.NewDecoder(r)
	d.CharsetReader = charset.NewReaderLabel
	return d
}
