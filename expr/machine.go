package expr

import (
	"github.com/expr-lang/expr/vm"
)

// A machine is what one evaluation needs, kept for the next one.
type machine struct {
	vm    vm.VM
	scope map[string]any
	turn  run
}

func newMachine(names int) *machine {
	m := &machine{vm: vm.VM{MemoryBudget: maxMemory}, scope: make(map[string]any, names)}
	m.scope[runName] = &m.turn
	return m
}

func (m *machine) run(p *Program, values map[string]any, env Env) (any, error) {
	m.turn = run{env: env, budget: maxWork}
	m.scope[rowName] = values
	for _, name := range p.names {
		m.scope[name] = values[name]
	}
	for _, name := range p.locals { // they come last, and hide the row's
		m.scope[localPrefix+name] = env.Locals[name]
	}
	out, err := m.vm.Run(p.code, m.scope)
	if err == nil {
		err = printable(out)
	}
	m.turn.env, m.scope[rowName] = Env{}, nil
	for _, name := range p.names {
		m.scope[name] = nil
	}
	for _, name := range p.locals {
		m.scope[localPrefix+name] = nil
	}
	return out, err
}

// maxResult is the most that a list or an object may print as.
const maxResult = 4 * maxText

// printable refuses results that would fill the memory when they are printed: a
// list may hold the same long text ten thousand times.
func printable(out any) error {
	switch out.(type) {
	case []any, map[string]any:
		if size := printedSize(out, maxResult); size > maxResult {
			return fail("the result prints as more than the %d bytes allowed", maxResult)
		}
	}
	return nil
}

// printedSize is about how long v prints; it stops counting behind most.
func printedSize(v any, most int) int {
	n := 4
	switch v := v.(type) {
	case string:
		n += len(v)
	case []any:
		for i := 0; i < len(v) && n <= most; i++ {
			n += printedSize(v[i], most-n)
		}
	case map[string]any:
		for name, field := range v {
			if n += len(name) + printedSize(field, most-n); n > most {
				break
			}
		}
	}
	return n
}
