package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
)

// points is how many nodes of Gauss and Legendre a panel of a grid has.
const points = 16

// rule are nodes and weights between −1 and 1, and what integrates from −1 up to each
// node the polynomial through the values at all of them.
var rule = func() (r struct {
	nodes, weights [points]float64
	upTo           [points][points]float64
}) {
	quad.Legendre{}.FixedLocations(r.nodes[:], r.weights[:], -1, 1)
	// With P_k the polynomials of Legendre, ∫ P_k = (P_{k+1} − P_{k−1}) / (2k+1), and the
	// value at node j is w_j (2k+1)/2 P_k(x_j) of the share of P_k.
	for i, x := range r.nodes {
		at := legendre(x)
		for j, y := range r.nodes {
			share := legendre(y)
			sum := (x + 1) / 2
			for k := 1; k < points; k++ {
				sum += share[k] * (at[k+1] - at[k-1]) / 2
			}
			r.upTo[i][j] = r.weights[j] * sum
		}
	}
	return r
}()

// legendre are the values of P_0 … P_points at x.
func legendre(x float64) (p [points + 1]float64) {
	p[0], p[1] = 1, x
	for k := 1; k < points; k++ {
		p[k+1] = (float64(2*k+1)*x*p[k] - float64(k)*p[k-1]) / float64(k+1)
	}
	return p
}

// A grid is where all that is believed of some arms is looked at: panels as wide as the
// narrowest belief needs, from below all of them to above all.
type grid struct {
	edges          []float64 // of panels
	nodes, weights []float64 // points for each panel
}

// spread are the edges of panels that a belief needs, in standard deviations from its
// mean: those far out are for rates near 0 and 1, whose tail is that of e^−x.
var spread = []float64{0, 1.5, 3, 5, 8, 12, 20, 40}

func newGrid(arms []Arm) grid {
	var g grid
	for _, arm := range arms {
		alpha, beta := arm.posterior()
		n := alpha + beta
		mean, deviation := alpha/n, math.Sqrt(alpha/n*beta/n/(n+1))
		for _, s := range spread {
			g.edges = append(g.edges, max(0, mean-s*deviation), min(1, mean+s*deviation))
		}
	}
	slices.Sort(g.edges)
	g.edges = slices.Compact(g.edges)
	for i := 1; i < len(g.edges); i++ {
		middle, half := (g.edges[i]+g.edges[i-1])/2, (g.edges[i]-g.edges[i-1])/2
		for j := range points {
			g.nodes = append(g.nodes, middle+half*rule.nodes[j])
			g.weights = append(g.weights, half*rule.weights[j])
		}
	}
	return g
}

// A belief is what is believed of an arm's rate at each node of a grid.
type belief struct {
	density []float64
	below   []float64 // probability that the rate is below the node
}

// believe makes the density of its values beside the most likely rate m, which keeps
// all digits however many units there are, and divides it by its own integral:
//
//	f(x) ∝ (x/m)^conversions ((1−x)/(1−m))^(units−conversions)
func (g grid) believe(arm Arm) belief {
	arm = arm.clamp()
	yes, no, mode := float64(arm.Conversions), float64(arm.Units-arm.Conversions), arm.Rate()
	b := belief{density: make([]float64, len(g.nodes)), below: make([]float64, len(g.nodes))}
	for i, x := range g.nodes {
		log := 0.0
		if yes > 0 {
			log += yes * math.Log1p((x-mode)/mode)
		}
		if no > 0 {
			log += no * math.Log1p(-(x-mode)/(1-mode))
		}
		b.density[i] = math.Exp(log)
	}
	total := 0.0
	for from := 0; from < len(g.nodes); from += points {
		panel := b.density[from : from+points]
		half := (g.edges[from/points+1] - g.edges[from/points]) / 2
		for i := range panel {
			sum := 0.0
			for j, weight := range rule.upTo[i] {
				sum += weight * panel[j]
			}
			b.below[from+i] = total + half*sum
		}
		for j, weight := range rule.weights {
			total += half * weight * panel[j]
		}
	}
	for i := range g.nodes {
		b.density[i] /= total
		b.below[i] = min(max(0, b.below[i]/total), 1)
	}
	return b
}
