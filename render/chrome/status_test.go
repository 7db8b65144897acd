package chrome

import (
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestStatusTellsTheAgeAndMemoryOfAProcess(t *testing.T) {
	before := time.Now()
	p := newPool(t, rendertest.Files{})
	mustRenderParallel(t, p, 1)
	s := p.Status()[0]
	if s.Number != 0 || s.Started.Before(before) || s.Started.After(time.Now()) {
		t.Errorf("it is %+v", s)
	}
	if memory := MemoryOf(s.PID); memory < 1<<20 || memory > 8<<30 {
		t.Errorf("its processes hold %d bytes", memory)
	}
}
