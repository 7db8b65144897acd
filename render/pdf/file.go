package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A File is a PDF that was read. It keeps the bytes that it was opened with.
type File struct {
	data    []byte
	offsets []int // of objects by their number, 0 for none
	trailer dict
	known   map[ref]object
	fonts   map[ref]*trueType
	glyphs  map[ref]*stream // that name no resources
	pages   []*Page
}

// A Page is one page of a File.
type Page struct {
	file   *File
	dict   dict
	box    [4]float64 // lower left and upper right corner, in points
	source resources  // as the page's content names them
}

// damaged is the error of a file that can't be read.
func damaged(format string, args ...any) *problem.Error {
	return problem.New(problem.Invalid, "the PDF can't be read: "+format, args...)
}

// Open reads a file, all but the content of its pages. A file that is damaged, or
// in a form that this package does not read, is an error of problem.Invalid.
func Open(data []byte) (*File, error) {
	f := &File{data: data, known: map[ref]object{}, fonts: map[ref]*trueType{}, glyphs: map[ref]*stream{}}
	if err := f.readTable(); err != nil {
		return nil, damaged("%w", err)
	}
	if err := f.readPages(); err != nil {
		return nil, damaged("%w", err)
	}
	return f, nil
}

// Pages are the pages in their order.
func (f *File) Pages() []*Page { return slices.Clone(f.pages) }

// readTable reads the cross-reference table and what stands behind it.
func (f *File) readTable() error {
	if !bytes.HasPrefix(f.data, []byte("%PDF-1.")) {
		return errors.New("it does not begin as one")
	}
	at := bytes.LastIndex(f.data, []byte("startxref"))
	if at < 0 {
		return errEnd
	}
	l := lexer{data: f.data, at: at + len("startxref")}
	l.skip()
	offset, ok := number(l.word()).int()
	if !ok || offset <= 0 || offset >= at {
		return errors.New("its end does not say where its table of objects is")
	}
	l = lexer{data: f.data[:at], at: offset}
	if !l.accept("xref") {
		return errors.New("it has no plain table of objects")
	}
	for !l.accept("trailer") {
		if err := f.readSection(&l); err != nil {
			return err
		}
	}
	o, err := l.object()
	if err != nil {
		return err
	}
	f.trailer, ok = o.(dict)
	switch {
	case !ok:
		return errors.New("its trailer is no dictionary")
	case f.trailer["Encrypt"] != nil:
		return errors.New("it is encrypted")
	case f.trailer["Prev"] != nil || f.trailer["XRefStm"] != nil:
		return errors.New("it was changed after it was written")
	}
	return nil
}

// readSection reads the entries of a run of objects.
func (f *File) readSection(l *lexer) error {
	l.skip()
	first, ok := number(l.word()).int()
	l.skip()
	count, ok2 := number(l.word()).int()
	if !ok || !ok2 || first < 0 || count < 0 || first > len(f.data) || count > len(f.data)/18 { // an entry has 20 bytes
		return errors.New("its table of objects is damaged")
	}
	for i := range count {
		l.skip()
		offset, ok := number(l.word()).int()
		l.skip()
		generation := l.word()
		l.skip()
		kind := l.word()
		switch {
		case !ok || offset < 0 || kind != "n" && kind != "f":
			return errors.New("its table of objects is damaged")
		case kind == "f":
		case generation != "00000" || offset >= len(f.data):
			return fmt.Errorf("object %d is at no place of the file", first+i)
		default:
			for len(f.offsets) <= first+i {
				f.offsets = append(f.offsets, 0)
			}
			f.offsets[first+i] = offset
		}
	}
	return nil
}

// get is the object that o refers to, or o itself. What is not there is null.
func (f *File) get(o object) (object, error) {
	for range 8 {
		r, ok := o.(ref)
		if !ok {
			return o, nil
		}
		var err error
		if o, err = f.load(r); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("an object refers to itself")
}

func (f *File) load(r ref) (object, error) {
	if o, ok := f.known[r]; ok {
		return o, nil
	}
	if int(r) >= len(f.offsets) || f.offsets[r] == 0 {
		return null, nil
	}
	f.known[r] = null // what its own length refers to
	o, err := f.read(r, f.offsets[r])
	if err != nil {
		delete(f.known, r)
		return nil, fmt.Errorf("object %d: %w", r, err)
	}
	f.known[r] = o
	return o, nil
}

func (f *File) read(r ref, offset int) (object, error) {
	l := lexer{data: f.data, at: offset}
	l.skip()
	id, ok := number(l.word()).int()
	if !ok || id != int(r) || !l.accept("0") || !l.accept("obj") {
		return nil, errors.New("it does not begin as one")
	}
	o, err := l.object()
	if err != nil {
		return nil, err
	}
	if d, ok := o.(dict); ok && l.accept("stream") {
		o, err = f.stream(&l, d)
		if err != nil {
			return nil, err
		}
	}
	if !l.accept("endobj") {
		return nil, errors.New("it does not end as one")
	}
	return o, nil
}

func (f *File) stream(l *lexer, d dict) (*stream, error) {
	if l.at < len(l.data) && l.data[l.at] == '\r' {
		l.at++
	}
	if l.at < len(l.data) && l.data[l.at] == '\n' {
		l.at++
	}
	o, err := f.get(d["Length"])
	if err != nil {
		return nil, err
	}
	n, _ := o.(number)
	length, ok := n.int()
	if !ok || length < 0 || length > len(l.data)-l.at {
		return nil, errors.New("a stream without its length")
	}
	s := &stream{dict: d, data: l.data[l.at : l.at+length]}
	l.at += length
	if !l.accept("endstream") {
		return nil, errors.New("a stream does not end where it should")
	}
	return s, nil
}

// maxDecoded bounds what a compressed stream may become.
const maxDecoded = 64 << 20

// decode is what a stream means. It knows the one filter that Chrome uses for
// what this package looks into.
func (f *File) decode(s *stream) ([]byte, error) {
	filter, err := f.get(orNull(s.dict["Filter"]))
	if err != nil {
		return nil, err
	}
	switch {
	case s.dict["DecodeParms"] != nil:
		return nil, errors.New("a stream of an unknown encoding")
	case filter == null:
		return s.data, nil
	case filter != name("FlateDecode"):
		return nil, errors.New("a stream of an unknown encoding")
	}
	return unpacked(s.data)
}

// unpackers are reused: one takes 40 KB.
var unpackers sync.Pool

func unpacked(data []byte) ([]byte, error) {
	r, _ := unpackers.Get().(io.ReadCloser)
	var err error
	if r == nil {
		r, err = zlib.NewReader(bytes.NewReader(data))
	} else {
		err = r.(zlib.Resetter).Reset(bytes.NewReader(data), nil)
	}
	if err != nil {
		return nil, fmt.Errorf("unpack a stream: %w", err)
	}
	defer unpackers.Put(r)
	var out bytes.Buffer
	out.Grow(3 * len(data))
	if _, err := io.Copy(&out, io.LimitReader(r, maxDecoded+1)); err != nil {
		return nil, fmt.Errorf("unpack a stream: %w", err)
	}
	if out.Len() > maxDecoded {
		return nil, fmt.Errorf("a stream of more than %d MiB", maxDecoded>>20)
	}
	return out.Bytes(), nil
}

func orNull(o object) object {
	if o == nil {
		return null
	}
	return o
}

// dictOf is the dictionary that o is or refers to, nil for none.
func (f *File) dictOf(o object) (dict, error) {
	o, err := f.get(orNull(o))
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case dict:
		return o, nil
	case *stream:
		return o.dict, nil
	}
	return nil, nil
}

func (f *File) arrayOf(o object) (array, error) {
	o, err := f.get(orNull(o))
	if err != nil {
		return nil, err
	}
	a, _ := o.(array)
	return a, nil
}

// maxPages is far more than anybody prints at a time.
const maxPages = 100_000

func (f *File) readPages() error {
	root, err := f.dictOf(f.trailer["Root"])
	if err != nil {
		return err
	}
	if err := f.walk(root["Pages"], map[ref]bool{}, nil, nil); err != nil {
		return err
	}
	if len(f.pages) == 0 {
		return errors.New("it has no pages")
	}
	return nil
}

// walk reads a part of the tree of pages, of which box and resources are handed
// down.
func (f *File) walk(o object, seen map[ref]bool, box, res object) error {
	if r, ok := o.(ref); ok {
		if seen[r] {
			return errors.New("its pages contain themselves")
		}
		seen[r] = true
	}
	d, err := f.dictOf(o)
	if err != nil {
		return err
	}
	if d["MediaBox"] != nil {
		box = d["MediaBox"]
	}
	if d["Resources"] != nil {
		res = d["Resources"]
	}
	switch d["Type"] {
	case name("Page"):
		return f.addPage(d, box, res)
	case name("Pages"):
	default:
		return errors.New("what should be a page is none")
	}
	kids, err := f.arrayOf(d["Kids"])
	if err != nil {
		return err
	}
	for _, kid := range kids {
		if _, ok := kid.(ref); !ok {
			return errors.New("what should be a page is none")
		}
		if err := f.walk(kid, seen, box, res); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) addPage(d dict, box, res object) error {
	if len(f.pages) == maxPages {
		return fmt.Errorf("it has more than %d pages", maxPages)
	}
	if r, _ := f.get(orNull(d["Rotate"])); r != null && r != number("0") {
		return errors.New("a page is turned")
	}
	p := &Page{file: f, dict: d}
	corners, err := f.rectangle(box)
	if err != nil {
		return err
	}
	p.box = corners
	if p.source, err = f.dictOf(res); err != nil {
		return err
	}
	f.pages = append(f.pages, p)
	return nil
}

func (f *File) rectangle(o object) (r [4]float64, err error) {
	a, err := f.arrayOf(o)
	if err != nil {
		return r, err
	}
	if len(a) != 4 {
		return r, errors.New("a rectangle without four corners")
	}
	for i, o := range a {
		o, err := f.get(o)
		if err != nil {
			return r, err
		}
		n, _ := o.(number)
		v, ok := n.float()
		if !ok || v > 1e6 || v < -1e6 {
			return r, errors.New("a rectangle with a corner that is no number")
		}
		r[i] = v
	}
	if r[2] <= r[0] || r[3] <= r[1] {
		return r, errors.New("a rectangle without an inside")
	}
	return r, nil
}
