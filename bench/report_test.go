package bench

import (
	"strings"
	"testing"
)

// made are the lines of two rounds: JPEG of two peers, one that failed, a traced
// run, and a daemon.
const made = `{"peer":"pictifyd","version":"dev","workload":"card","format":"jpeg","images":800,"seconds":8,"imagesPerSecond":100,"meanBytes":51200,"cpuMsPerImage":15,"peakMB":400}
{"peer":"puppeteer","version":"24.1","workload":"card","format":"jpeg","images":160,"seconds":8,"imagesPerSecond":20,"meanBytes":47104}
{"peer":"takumi","workload":"card","format":"jpeg","error":"no | font"}
{"peer":"puppeteer, 4 at once","version":"24.1","workload":"card","format":"jpeg","images":160,"seconds":8,"imagesPerSecond":21,"meanBytes":47104}
{"peer":"pictifyd","version":"dev","workload":"card","format":"jpeg","images":960,"seconds":8,"imagesPerSecond":120,"meanBytes":51200,"cpuMsPerImage":17,"peakMB":420}
{"peer":"puppeteer","version":"24.1","workload":"card","format":"jpeg","images":128,"seconds":8,"imagesPerSecond":16,"meanBytes":47104}
{"peer":"pictifyd","version":"dev","workload":"card","format":"jpeg","images":90,"seconds":1,"imagesPerSecond":90,"meanBytes":51200,"stages":{"fill":0.02,"wait":3,"engine":11.5,"store":4.25}}
{"peer":"pictifyd daemon","version":"dev","workload":"card","format":"jpeg","images":10000,"seconds":100,"imagesPerSecond":99,"meanBytes":51200,"peakMB":812.4,"quartersMB":[500,700,705,710.2],"idleMB":38.3}
{"peer":"pictifyd daemon","workload":"card","format":"png","error":"the job is partial"}
`

func report(t *testing.T, lines string) string {
	t.Helper()
	results, err := ReadResults(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	Report(&b, results)
	return b.String()
}

func TestReportSetsMediansBesideEachOther(t *testing.T) {
	got := report(t, made)
	for _, want := range []string{
		"Peers: puppeteer 24.1.\n",
		"| jpeg | puppeteer | 6x | 6.11x | 110.0 | 18.0 |\n",
		"| jpeg | takumi | 1.1x | not measured | 110.0 | not measured |\n",
		"| png | chromedp tutorial | 24x | not measured | not measured | not measured |\n",
		"## card as jpeg\n",
		"| pictifyd | 110.0 | 100.0 to 120.0 of 2 | 50.0 | 16.0 | 410.0 |\n",
		"| puppeteer | 18.0 | 16.0 to 20.0 of 2 | 46.0 |  |  |\n",
		"| takumi | not measured: no / font | | | | |\n",
		"| card as jpeg | 90.0 | 0.02 | 3.00 | 11.50 |  |  |  |  | 4.25 |\n",
		"| jpeg | 10000 | 100.0 | 99.0 | 90 % | 812 | 500, 700, 705, 710 | 38 | 0 |\n",
		"| png | not measured: the job is partial | | | | | | | |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if n := strings.Count(got, "\n## "); n != 4 {
		t.Errorf("%d sections", n)
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestReportOfNothingSaysThatNothingWasMeasured(t *testing.T) {
	got := report(t, "")
	if strings.Count(got, "not measured") != 3*len(wishes) || strings.Contains(got, "NaN") {
		t.Error(got)
	}
}

func TestEveryRowOfTheReportHasTheColumnsOfItsTable(t *testing.T) {
	columns := 0
	for line := range strings.Lines(report(t, made)) {
		switch n := strings.Count(line, "|"); {
		case n == 0:
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("%d bars where the head has %d: %s", n, columns, line)
		}
	}
}

func TestALineThatIsNoResultIsNamed(t *testing.T) {
	for _, lines := range []string{"{}\nnode: not found\n", "{}\n{\"peer\":1}\n"} {
		if _, err := ReadResults(strings.NewReader(lines)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func TestAResultReadsAsLines(t *testing.T) {
	r := Result{Workload: "card", Format: "png", Images: 10, Seconds: 2, ImagesPerSecond: 5, MeanBytes: 2048, CPUMillis: 30, PeakMB: 99, Stages: Stages{StageStore: 3, StageFill: 1}}
	want := "card as png: 10 images in 2.0 s, 5.0 images/s\n2.0 KB an image, 30.0 ms of CPU an image, at most 99 MB of memory\n    fill    1.00 ms\n   store    3.00 ms\n"
	if got := r.String(); got != want {
		t.Errorf("got %q", got)
	}
}
