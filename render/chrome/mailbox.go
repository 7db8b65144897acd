package chrome

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/render"
)

// A letter is what a stage sends for one picture: its head, and its bytes where
// there are any.
type letter struct {
	picture int // which one of the play's
	head    letterHead
	bytes   []byte
	err     error // it did not come whole
}

// A letterHead stands before the bytes of a picture; see stage.js.
type letterHead struct {
	Row   *prepared `json:"row"`   // how the row came out
	Short int64     `json:"short"` // bytes of the smallest encoding where none fits into the limit
	Error string    `json:"error"` // what the script threw
	MS    stageMS   `json:"ms"`
}

// A stageMS is how long the steps of a picture took on the stage, in milliseconds.
type stageMS struct{ Prepare, Paint, Wait, Encode float64 }

func (ms stageMS) stages() render.Stages {
	return render.Stages{
		Prepare: milliseconds(ms.Prepare), Paint: milliseconds(ms.Paint), Queue: milliseconds(ms.Wait), Encode: milliseconds(ms.Encode),
	}
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// A mailbox takes the pictures of one play. Its address can't be guessed, so
// that what a late play sends comes to nobody.
type mailbox struct {
	token   string
	letters chan letter // with room for all pictures
	largest int64       // bytes of one letter
	open    []bool      // by picture, whether it may still come
}

func newMailbox(pictures int, largest int64) *mailbox {
	m := &mailbox{token: strings.ToLower(rand.Text()), letters: make(chan letter, pictures), largest: largest, open: make([]bool, pictures)}
	for i := range m.open {
		m.open[i] = true
	}
	return m
}

// address is where the stage sends a picture to, without its number.
func (m *mailbox) address() string { return outPrefix + m.token + "/" }

// use makes m the origin's mailbox, nil none.
func (o *origin) use(m *mailbox) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mailbox = m
}

// claim is the mailbox that path means, and the picture that is sent. Each comes
// once.
func (o *origin) claim(path string) (m *mailbox, picture int, ok bool) {
	token, number, _ := strings.Cut(strings.TrimPrefix(path, outPrefix), "/")
	picture, err := strconv.Atoi(number)
	o.mu.Lock()
	defer o.mu.Unlock()
	m = o.mailbox
	if err != nil || m == nil || m.token != token || picture < 0 || picture >= len(m.open) || !m.open[picture] {
		return nil, 0, false
	}
	m.open[picture] = false
	return m, picture, true
}

// take receives a letter of the stage.
func (o *origin) take(w http.ResponseWriter, r *http.Request) {
	m, picture, ok := o.claim(r.URL.Path)
	if !ok {
		http.Error(w, "nobody waits for this", http.StatusGone)
		return
	}
	l, err := readLetter(r.Body, r.ContentLength, m.largest)
	l.picture, l.err = picture, err
	m.letters <- l
	w.WriteHeader(http.StatusNoContent)
}

// headLimit is the longest head of a letter.
const headLimit = 8 << 20

func readLetter(body io.Reader, size, largest int64) (l letter, err error) {
	if size < 4 || size > largest {
		return l, fmt.Errorf("a picture of %d bytes is not within 4 and %d", size, largest)
	}
	all := make([]byte, size)
	if _, err := io.ReadFull(body, all); err != nil {
		return l, fmt.Errorf("read a picture: %w", err)
	}
	length := int64(binary.BigEndian.Uint32(all))
	if length > headLimit || length > size-4 {
		return l, errors.New("the head of a picture is longer than it is")
	}
	if err := json.Unmarshal(all[4:4+length], &l.head); err != nil {
		return l, fmt.Errorf("read the head of a picture: %w", err)
	}
	if rest := all[4+length:]; len(rest) > 0 {
		l.bytes = rest
	}
	return l, nil
}
