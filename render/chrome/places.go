package chrome

import (
	"log/slog"
	"slices"
	"time"
)

// startMissing starts Chromes where they are wanted and allowed, for those who
// wait.
func (p *Pool) startMissing() {
	wanted := len(p.waiting)
	for _, pl := range p.places {
		if pl.starting && pl.browser == nil {
			wanted -= p.options.Tabs
		}
	}
	for _, pl := range p.places {
		if wanted <= 0 {
			return
		}
		if pl.browser == nil && !pl.starting && !time.Now().Before(pl.notBefore) {
			p.start(pl)
			wanted -= p.options.Tabs
		}
	}
}

// start starts a Chrome for a place, also where it still has one: that one is
// retired when the new one is ready.
func (p *Pool) start(pl *place) {
	pl.starting = true
	p.work.Go(func() {
		b, err := p.launcher.launch(p.life, pl.number)
		p.mu.Lock()
		defer p.mu.Unlock()
		pl.starting = false
		switch {
		case err != nil:
			p.postpone(pl, err)
		case p.closed:
			p.work.Go(b.stop)
			return
		default:
			p.settle(pl, b)
		}
		p.dispatch()
		p.rest()
	})
}

// settle puts a ready Chrome into its place.
func (p *Pool) settle(pl *place, b *chromium) {
	old := pl.browser
	pl.browser, pl.err = b, nil
	p.stages = b.stages && !p.options.Plain
	p.live[b] = true
	pl.starts++
	p.work.Go(func() { p.watch(b) })
	if old != nil {
		old.retired = true
		p.settleDebts(old)
	}
}

// postpone notes a failed start, and tries again later where that is needed.
func (p *Pool) postpone(pl *place, err error) {
	if p.closed {
		return
	}
	pl.fails++
	pl.err = err
	wait := startBackoff.Next(pl.fails)
	pl.notBefore = time.Now().Add(wait)
	p.options.Log.Warn("Chrome did not start", slog.Int("browser", pl.number), slog.Int("attempt", pl.fails), slog.Any("err", err))
	p.later(wait)
}

// later looks again at what is missing.
func (p *Pool) later(wait time.Duration) {
	p.work.Go(func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.keepOne()
			p.dispatch()
		case <-p.life.Done():
		}
	})
}

// keepOne starts a Chrome where none is left, so that the next row does not
// wait for it.
func (p *Pool) keepOne() {
	if p.closed || slices.ContainsFunc(p.places, func(pl *place) bool { return pl.starting || pl.browser != nil }) {
		return
	}
	for _, pl := range p.places {
		if !time.Now().Before(pl.notBefore) {
			p.start(pl)
			return
		}
	}
}

// watch waits for the end of b, and sees that its place is not empty for long.
func (p *Pool) watch(b *chromium) {
	select {
	case <-b.lost:
	case <-b.proc.done:
	}
	b.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	b.dead = true
	delete(p.live, b)
	for _, st := range b.seats {
		if !st.busy && st.session != nil { // a busy one is cleared by the row that has it
			p.work.Go(st.clear)
		}
	}
	pl := p.places[b.place]
	if pl.browser != b || p.closed {
		return
	}
	pl.browser = nil
	if b.retired {
		return
	}
	p.options.Log.Warn("Chrome died and is replaced", slog.Int("browser", pl.number), slog.Int("pid", b.proc.pid), slog.Int("pictures", b.pictures))
	pl.fails++
	if pl.fails > 1 { // it lived without making a picture, again
		wait := startBackoff.Next(pl.fails - 1)
		pl.notBefore = time.Now().Add(wait)
		p.later(wait)
	} else {
		p.start(pl)
	}
	p.dispatch()
}

// replace starts a successor for b, which works until that is ready.
func (p *Pool) replace(b *chromium) {
	pl := p.places[b.place]
	if p.closed || pl.browser != b || pl.starting || b.retired || time.Now().Before(pl.notBefore) {
		return
	}
	p.start(pl)
}

// settleDebts ends a retired browser that has nothing more in hand.
func (p *Pool) settleDebts(b *chromium) {
	if b.retired && b.busy == 0 && !b.dead {
		b.proc.kill() // watch does the rest
	}
}

// rest stops the Chromes after a while without work.
func (p *Pool) rest() { p.restFor(p.idle) }

func (p *Pool) restFor(while time.Duration) {
	if p.idle <= 0 || p.busy > 0 || len(p.waiting) > 0 || p.closed {
		return
	}
	if p.resting != nil {
		p.resting.Reset(while)
		return
	}
	p.resting = time.AfterFunc(while, p.stopIdle)
}

// stopIdle stops all Chromes, the next row starts them again. In its first rest
// the pool measures its pace instead.
func (p *Pool) stopIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy > 0 || len(p.waiting) > 0 || p.closed {
		return
	}
	if b := p.places[0].browser; p.measures && b.usable() {
		p.measures = false
		p.work.Go(func() { p.calibrate(b.version) })
		return // its last picture begins another rest
	}
	for _, pl := range p.places {
		if b := pl.browser; b.usable() {
			pl.browser = nil
			b.retired = true
			p.settleDebts(b)
		}
	}
}

// killAll ends every Chrome; those who watch them see to the rest.
func (p *Pool) killAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for b := range p.live {
		b.proc.kill()
	}
}
