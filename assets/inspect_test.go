package assets

import (
	"bytes"
	"encoding/binary"
	"testing"
)

const svgStart = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" `

func TestInertSVGIsTaken(t *testing.T) {
	for name, text := range map[string]string{
		"plain":           svgStart + `/>`,
		"byte order mark": "\ufeff" + svgStart + `/>`,
		"prologue":        ` <?xml version="1.0" encoding="UTF-8"?><!-- c --><!DOCTYPE svg PUBLIC "a" "b">` + svgStart + `/>`,
		"latin 1":         `<?xml version="1.0" encoding="ISO-8859-1"?>` + svgStart + ">caf\xe9</svg>",
		"inner reference": svgStart + `><use xlink:href="#a"/><text>on fire</text></svg>`,
		"embedded image":  svgStart + `><image href="data:image/png;base64,AAAA"/></svg>`,
		"link":            svgStart + `><a href="https://x.example/"><path d=""/></a></svg>`,
		"prefixed":        `<s:svg xmlns:s="http://www.w3.org/2000/svg"/>`,
	} {
		if got, err := inspect([]byte(text), "", 100); err != nil || got != typeSVG {
			t.Errorf("%s = %q, %v", name, got, err)
		}
	}
}

func TestSVGThatActsOrReachesOutIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"script":           `><script>alert(1)</script></svg>`,
		"capital script":   `><SCRIPT/></svg>`,
		"foreignObject":    `><foreignObject><p/></foreignObject></svg>`,
		"handler":          `onload="alert(1)"/>`,
		"outer image":      `><image href="https://x.example/a.png"/></svg>`,
		"outer use":        `><use xlink:href="https://x.example/a.svg#b"/></svg>`,
		"relative image":   `><image href="/etc/passwd"/></svg>`,
		"script link":      `><a href=" JavaScript:alert(1)"/></svg>`,
		"embedded page":    `><use href="data:text/html,x"/></svg>`,
		"animated link":    `><a><animate attributeName="href" values="javascript:alert(1)"/></a></svg>`,
		"not closed":       `>`,
		"unknown entity":   `>&nbsp;</svg>`,
		"nested in itself": `><iframe src="#"/></svg>`,
	} {
		if got, err := inspect([]byte(svgStart+text), "", 100); err == nil {
			t.Errorf("%s is taken as %q", name, got)
		}
	}
	for name, text := range map[string]string{
		"entities":    `<!DOCTYPE svg [<!ENTITY a "b">]>` + svgStart + `/>`,
		"style sheet": `<?xml-stylesheet href="https://x.example/a.css"?>` + svgStart + `/>`,
	} {
		if got, err := inspect([]byte(text), "", 100); err == nil {
			t.Errorf("%s is taken as %q", name, got)
		}
	}
}

func webp(kind string, body ...byte) []byte {
	data := append([]byte("RIFF\x00\x00\x00\x00WEBP"+kind+"\x00\x00\x00\x00"), body...)
	return append(data, make([]byte, 20)...)
}

func ispe(width, height uint32) []byte {
	box := []byte("\x00\x00\x00\x14ispe\x00\x00\x00\x00")
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(box, width), height)
}

func avif(boxes ...[]byte) []byte {
	return append([]byte("\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1"), bytes.Join(boxes, nil)...)
}

func TestDimensionsOfWebPAndAVIF(t *testing.T) {
	for name, c := range map[string]struct {
		data          []byte
		width, height int
	}{
		"lossy WebP":              {webp("VP8 ", 0, 0, 0, 0x9d, 0x01, 0x2a, 0x2c, 0x01, 0xc8, 0x00), 300, 200},
		"scaled lossy WebP":       {webp("VP8 ", 0, 0, 0, 0x9d, 0x01, 0x2a, 0x2c, 0x41, 0xc8, 0x80), 300, 200},
		"lossless WebP":           {webp("VP8L", 0x2f, 0x2b, 0xc1, 0x31, 0x00), 300, 200},
		"extended WebP":           {webp("VP8X", 0, 0, 0, 0, 0x2b, 0x01, 0x00, 0xc7, 0x00, 0x00), 300, 200},
		"AVIF":                    {avif(ispe(300, 200)), 300, 200},
		"AVIF with a thumbnail":   {avif(ispe(30, 20), ispe(300, 200), ispe(3, 2)), 300, 200},
		"AVIF as large as it can": {avif(ispe(1<<31-1, 1)), 1<<31 - 1, 1},
	} {
		width, height, err := dimensions(sniff(c.data), c.data)
		if width != c.width || height != c.height || err != nil {
			t.Errorf("%s = %d × %d, %v; want %d × %d", name, width, height, err, c.width, c.height)
		}
	}
}

func TestImageWithoutUsableDimensionsIsRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"short WebP":   []byte("RIFF\x00\x00\x00\x00WEBPVP8 "),
		"unknown WebP": webp("VP8?"),
		"empty AVIF":   avif(),
		"cut AVIF":     avif(ispe(3, 2)[:14]),
		"giant AVIF":   avif(ispe(1<<32-1, 1<<32-1), ispe(3, 2)),
		"cut PNG":      []byte("\x89PNG\r\n\x1a\n"),
		"cut JPEG":     []byte("\xff\xd8\xff\xe0"),
	} {
		if got, err := inspect(data, "", 100); err == nil {
			t.Errorf("%s is taken as %s", name, got)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(svgStart + `/>`))
	f.Add(webp("VP8X", 0, 0, 0, 0, 0x2b, 0x01, 0x00, 0xc7, 0x00, 0x00))
	f.Add(avif(ispe(3, 2)))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("GIF89a\x03\x00\x02\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		contentType, err := inspect(data, "", 1000)
		if err != nil {
			return
		}
		again, readErr := sniffReader(bytes.NewReader(data))
		if readErr != nil || again != contentType {
			t.Errorf("kept as %s, served as %s, %v", contentType, again, readErr)
		}
	})
}
