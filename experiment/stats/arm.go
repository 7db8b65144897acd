package stats

// An Arm is what one variant has counted. A negative count is taken for 0, what converted
// beyond the units for as many as there are units, and more than 10¹² for 10¹².
type Arm struct {
	Units       int // who saw it, each once
	Conversions int // how many of them did what the experiment is for, each once
}

// most of units keeps apart a rate near 1 and 1 itself, in a float64.
const most = 1_000_000_000_000

// clamp is the arm with counts that can be.
func (a Arm) clamp() Arm {
	a.Units = min(max(0, a.Units), most)
	a.Conversions = min(max(0, a.Conversions), a.Units)
	return a
}

// Rate is the share of units that converted; 0 where there are none.
func (a Arm) Rate() float64 {
	a = a.clamp()
	if a.Units == 0 {
		return 0
	}
	return float64(a.Conversions) / float64(a.Units)
}
