package sink

// A PerOutput configuration puts each output of a row somewhere of its own.
type PerOutput interface {
	// CheckOutputs says which outputs of a binding would end in the same place. Of
	// each the name, the format and the extension are known.
	CheckOutputs(outputs []Output) error
}

// A Guarded configuration has parts that callers of the API may not use, because
// they reach what belongs to the machine.
type Guarded interface {
	CheckCaller() error // all problems, as Validate
}
