package chrome

import (
	"bufio"
	"io"
	"os"

	"github.com/chromedp/chromedp"
)

// newPipes makes the two pipes that DevTools speaks over. theirs are Chrome's
// ends, its file descriptors 3 and 4; Chrome ends when ours close.
func newPipes() (conn chromedp.Transport, theirs []*os.File, err error) {
	theirRead, ourWrite, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	ourRead, theirWrite, err := os.Pipe()
	if err != nil {
		theirRead.Close()
		ourWrite.Close()
		return nil, nil, err
	}
	widen(ourRead)
	widen(ourWrite)
	in := bufferedReader{bufio.NewReaderSize(ourRead, pipeSize), ourRead}
	return chromedp.NewPipeConn(in, ourWrite), []*os.File{theirRead, theirWrite}, nil
}

// A bufferedReader takes a picture off the pipe in a few large reads; the
// connection alone would read 4 KB at a time.
type bufferedReader struct {
	*bufio.Reader
	io.Closer
}
