package pdf

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
)

// An output is a file that is written, object after object. Equal objects are
// written once.
type output struct {
	w       io.Writer
	sum     hash.Hash
	at      int64
	offsets []int64 // by the number of the object, from 1
	known   map[[sha256.Size]byte]ref
	faces   faces
	buffer  []byte
}

func newOutput(w io.Writer) (*output, error) {
	o := &output{w: w, sum: sha256.New(), known: map[[sha256.Size]byte]ref{}}
	return o, o.write([]byte("%PDF-1.4\n%\xd3\xeb\xe9\xe1\n"))
}

func (o *output) write(b []byte) error {
	n, err := o.w.Write(b)
	o.at += int64(n)
	o.sum.Write(b)
	if err != nil {
		return fmt.Errorf("write a PDF: %w", err)
	}
	return nil
}

// reserve is a number for an object that is put later.
func (o *output) reserve() ref {
	o.offsets = append(o.offsets, 0)
	return ref(len(o.offsets))
}

// put writes the object of a number.
func (o *output) put(r ref, obj object) error {
	o.offsets[r-1] = o.at
	b := fmt.Appendf(o.buffer[:0], "%d 0 obj\n", r)
	b = append(obj.print(b), "\nendobj\n"...)
	o.buffer = b
	return o.write(b)
}

// share is the number of an object like obj.
func (o *output) share(obj object) (ref, error) {
	o.buffer = obj.print(o.buffer[:0])
	sum := sha256.Sum256(o.buffer)
	if r, ok := o.known[sum]; ok {
		return r, nil
	}
	r := o.reserve()
	o.known[sum] = r
	return r, o.put(r, obj)
}

// finish writes what stands at the end of a file.
func (o *output) finish(root, info ref) error {
	start := o.at
	b := fmt.Appendf(nil, "xref\n0 %d\n0000000000 65535 f \n", len(o.offsets)+1)
	for _, offset := range o.offsets {
		b = fmt.Appendf(b, "%010d 00000 n \n", offset)
	}
	id := text(o.sum.Sum(nil)[:16]) // of all that came before: the same file has the same
	trailer := dict{"Size": integer(len(o.offsets) + 1), "Root": root, "Info": info, "ID": array{id, id}}
	b = append(trailer.print(append(b, "trailer\n"...)), '\n')
	return o.write(fmt.Appendf(b, "startxref\n%d\n%%%%EOF\n", start))
}
