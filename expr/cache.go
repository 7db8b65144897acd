package expr

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Cache remembers compiled expressions: a document is read several times for
// each change that somebody makes to it. It is safe for concurrent use.
type Cache struct {
	limit int

	mu       sync.Mutex
	programs map[string]*Program

	hits, misses int64
}

// NewCache remembers at most so many programs.
func NewCache(limit int) *Cache {
	return &Cache{limit: limit, programs: make(map[string]*Program)}
}

// Compile is the function Compile. Mistakes are not remembered.
func (c *Cache) Compile(src string, o Options) (*Program, error) {
	key := o.key(src)
	c.mu.Lock()
	p, ok := c.programs[key]
	if ok {
		c.hits++
	} else {
		c.misses++
	}
	c.mu.Unlock()
	if ok {
		return p, nil
	}
	p, err := Compile(src, o)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.programs) >= c.limit { // rare, and all that is in use comes back at once
		clear(c.programs)
	}
	c.programs[key] = p
	return p, nil
}

// Use is how many programs are remembered, and how often one was found and not.
func (c *Cache) Use() (entries int, hits, misses int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.programs), c.hits, c.misses
}

// key is the same for what compiles to the same.
func (o Options) key(src string) string {
	var b strings.Builder
	write := func(texts ...string) {
		b.WriteString(strconv.Itoa(len(texts)) + ":")
		for _, s := range texts {
			b.WriteString(strconv.Itoa(len(s)) + ":" + s)
		}
	}
	write(src)
	if o.Names == nil {
		b.WriteByte('*')
	}
	write(o.Names...)
	write(o.Locals...)
	for _, name := range slices.Sorted(maps.Keys(o.Types)) {
		write(name)
		o.Types[name].writeKey(&b)
	}
	return b.String()
}

func (t *Type) writeKey(b *strings.Builder) {
	if t == nil {
		b.WriteByte('-')
		return
	}
	b.WriteString("(" + string(t.Kind))
	if t.literal != nil {
		b.WriteString("=" + strconv.Quote(*t.literal))
	}
	if t.made {
		b.WriteByte('+')
	}
	if t.Fields != nil {
		b.WriteByte('{')
		for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
			b.WriteString(strconv.Quote(name))
			t.Fields[name].writeKey(b)
		}
		b.WriteByte('}')
	}
	if t.Items != nil {
		b.WriteByte('[')
		t.Items.writeKey(b)
		b.WriteByte(']')
	}
	b.WriteByte(')')
}
