package assets

import (
	"bytes"
	"encoding/binary"
)

// complete reports whether a raster image has its end. Chrome decodes what is
// there of one that was cut off, and shows the rest blank. It looks for each
// format's end mark, behind which some programs append bytes of their own;
// nothing is decoded. Of GIF and AVIF, whose end can't be told from content,
// it reports true.
func complete(contentType string, data []byte) bool {
	switch contentType {
	case typePNG: // ISO/IEC 15948, 11.2.5: the last chunk, of length 0
		return bytes.Contains(data, []byte("\x00\x00\x00\x00IEND\xaeB`\x82"))
	case typeJPEG:
		// ISO/IEC 10918-1, B.1.1: in a scan FF is followed by 00 or a restart
		// mark, so the last start of scan is that of the image itself and not
		// of a preview before it.
		return bytes.LastIndex(data, []byte{0xff, 0xd9}) > bytes.LastIndex(data, []byte{0xff, 0xda})
	case typeWebP: // RFC 9649, 2.4: the size of all that follows the first 8 bytes
		return len(data) >= 12 && uint64(binary.LittleEndian.Uint32(data[4:]))+8 <= uint64(len(data))
	}
	return true
}
