package assets

import (
	"bytes"
	"errors"
	"image"
	_ "image/gif"  // for the size of a GIF
	_ "image/jpeg" // for the size of a JPEG
	_ "image/png"  // for the size of a PNG
	"io"
	"net/http"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The types that a page may use.
const (
	typePNG   = "image/png"
	typeJPEG  = "image/jpeg"
	typeGIF   = "image/gif"
	typeWebP  = "image/webp"
	typeAVIF  = "image/avif"
	typeSVG   = "image/svg+xml"
	typeWOFF  = "font/woff"
	typeWOFF2 = "font/woff2"
	typeTTF   = "font/ttf"
	typeOTF   = "font/otf"

	typeUnknown = "application/octet-stream"
)

// headSize is how many bytes tell every type but SVG.
const headSize = 64

// inspect is the type of data, or why a page may not use it. What the sender
// declared is only quoted.
func inspect(data []byte, declared string, maxPixels int64) (string, *problem.Error) {
	contentType := sniff(data)
	switch contentType {
	case typeUnknown:
		return "", notAnAsset(data, declared)
	case typeSVG:
		if err := checkSVG(bytes.NewReader(data)); err != nil {
			return "", err
		}
		return typeSVG, nil
	case typeWOFF, typeWOFF2, typeTTF, typeOTF:
		return contentType, nil
	}
	width, height, err := dimensions(contentType, data)
	if err != nil {
		return "", problem.New(problem.Invalid, "damaged %s", contentType)
	}
	if !complete(contentType, data) {
		return "", problem.New(problem.Invalid, "cut off %s: its end is missing", contentType)
	}
	if uint64(width)*uint64(height) > uint64(maxPixels) { // two claims of 32 bits fit
		return "", problem.New(problem.TooLarge, "%d × %d pixels, more than %d", width, height, maxPixels)
	}
	return contentType, nil
}

func notAnAsset(data []byte, declared string) *problem.Error {
	found := mediaType(http.DetectContentType(data))
	if declared == "" || mediaType(declared) == found {
		return problem.New(problem.Unsupported, "not an image: %s", found)
	}
	return problem.New(problem.Unsupported, "not an image: %s, declared as %s", found, mediaType(declared))
}

// sniff is the type of data, read from its first bytes.
func sniff(data []byte) string {
	if t := sniffHead(data); t != typeUnknown {
		return t
	}
	if leadsToXML(data) && isSVG(bytes.NewReader(data)) {
		return typeSVG
	}
	return typeUnknown
}

// leadsToXML spares a decoder the search through bytes that cannot be XML.
func leadsToXML(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	return len(head) == 0 || head[0] == '<'
}

// sniffReader is sniff for what can be read again; r ends where it began.
func sniffReader(r io.ReadSeeker) (string, error) {
	head := make([]byte, headSize)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	contentType := sniffHead(head[:n])
	if contentType == typeUnknown && leadsToXML(head[:n]) {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
		if isSVG(r) {
			contentType = typeSVG
		}
	}
	_, err = r.Seek(0, io.SeekStart)
	return contentType, err
}

func sniffHead(head []byte) string {
	for _, magic := range []struct {
		at   int
		text string
		is   string
	}{
		{0, "\x89PNG\r\n\x1a\n", typePNG},
		{0, "\xff\xd8\xff", typeJPEG},
		{0, "GIF87a", typeGIF},
		{0, "GIF89a", typeGIF},
		{8, "WEBPVP8", typeWebP},
		{4, "ftypavif", typeAVIF},
		{4, "ftypavis", typeAVIF},
		{0, "wOFF", typeWOFF},
		{0, "wOF2", typeWOFF2},
		{0, "\x00\x01\x00\x00", typeTTF},
		{0, "true", typeTTF},
		{0, "OTTO", typeOTF},
	} {
		if len(head) > magic.at && bytes.HasPrefix(head[magic.at:], []byte(magic.text)) {
			return magic.is
		}
	}
	return typeUnknown
}

// dimensions is the size that a raster image claims. Nothing is decoded.
func dimensions(contentType string, data []byte) (width, height int, err error) {
	switch contentType {
	case typeWebP:
		return webpSize(data)
	case typeAVIF:
		return avifSize(data)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	return config.Width, config.Height, err
}
