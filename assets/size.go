package assets

import (
	"bytes"
	"encoding/binary"
	"errors"
)

var errDamaged = errors.New("damaged image")

// webpSize reads the size from the first chunk: of the canvas in the extended
// form, else of the one frame, lossy or lossless.
func webpSize(data []byte) (width, height int, err error) {
	if len(data) < 30 {
		return 0, 0, errDamaged
	}
	body := data[20:]
	switch string(data[12:16]) {
	case "VP8X":
		return 1 + uint24(body[4:]), 1 + uint24(body[7:]), nil
	case "VP8L":
		bits := binary.LittleEndian.Uint32(body[1:])
		return 1 + int(bits&0x3fff), 1 + int(bits>>14&0x3fff), nil
	case "VP8 ":
		return int(binary.LittleEndian.Uint16(body[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(body[8:]) & 0x3fff), nil
	}
	return 0, 0, errDamaged
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// avifSize is the largest size that an item of the file claims: each has a
// property box "ispe" in the header, and tiles, masks and thumbnails are items too.
func avifSize(data []byte) (width, height int, err error) {
	rest := data
	for {
		at := bytes.Index(rest, []byte("ispe"))
		if at < 0 || len(rest) < at+16 {
			break
		}
		w, h := binary.BigEndian.Uint32(rest[at+8:]), binary.BigEndian.Uint32(rest[at+12:])
		if uint64(w)*uint64(h) > uint64(width)*uint64(height) {
			width, height = int(w), int(h)
		}
		rest = rest[at+4:]
	}
	if width == 0 {
		return 0, 0, errDamaged
	}
	return width, height, nil
}
