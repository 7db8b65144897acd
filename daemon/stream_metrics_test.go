package daemon

import (
	"fmt"
	"testing"
)

func TestLagOfManyPartsIsBounded(t *testing.T) {
	lag := map[string]int64{}
	for i := range 250 {
		lag[fmt.Sprint(i)] = 2
	}
	bounded := boundedLag(lag)
	if len(bounded) != lagParts+1 || bounded["more"] != 300 || bounded["99"] != 2 || bounded["100"] != 0 {
		t.Errorf("%d parts, more %d, 99 %d, 100 %d", len(bounded), bounded["more"], bounded["99"], bounded["100"])
	}
	if few := boundedLag(map[string]int64{"0": 1}); len(few) != 1 || few["0"] != 1 {
		t.Errorf("of one part %v", few)
	}
}
