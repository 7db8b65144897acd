package png

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

// build makes the encoder in a folder of its own and returns it.
func build(t *testing.T, flags ...string) []byte {
	t.Helper()
	for _, program := range []string{"clang-19", "wasm-ld-19"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("PICTIFYD_TEST_ALL") != "" {
				t.Fatal(err)
			}
			t.Skipf("there is no program %s: make test installs it", program)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "encoder"), os.DirFS("encoder")); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("build.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "build.sh"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{filepath.Join(dir, "build.sh"), "built.wasm"}, flags...)
	if out, err := exec.CommandContext(t.Context(), "bash", args...).CombinedOutput(); err != nil {
		t.Fatalf("build.sh %v: %v\n%s", flags, err, out)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "built.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func TestEncoderIsBuiltFromItsSource(t *testing.T) {
	t.Parallel()
	if wasm := build(t); !bytes.Equal(wasm, Wasm) {
		version, _ := exec.CommandContext(t.Context(), "clang-19", "--version").Output()
		t.Errorf("encoder.wasm (%d bytes) is not what build.sh makes of encoder/*.c (%d bytes) with\n%s", len(Wasm), len(wasm), version)
	}
}

func TestEncoderWantsNothingOfItsHost(t *testing.T) {
	t.Parallel()
	module, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(module.ImportedFunctions()) + len(module.ImportedMemories()); n != 0 {
		t.Errorf("%d imports, want none", n)
	}
	var names []string
	for name := range module.ExportedFunctions() {
		names = append(names, name)
	}
	if len(names) != 3 {
		t.Errorf("exported functions %v, want reserve, encode and output", names)
	}
}

// The same source, built to trap on what C leaves undefined: an index outside
// of its array, a shift too far, a signed overflow. Memory that no canary
// stands around is watched by that.
func TestEncoderKeepsTheRulesOfC(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("takes seconds: runs in the pass without -short")
	}
	t.Parallel()
	wasm := build(t, "-fsanitize=undefined,local-bounds", "-fsanitize-trap=all")
	module, err := engine().CompileModule(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	m, plain := newMachineOf(t, engine(), module), newMachine(t)
	for name, paint := range painters {
		for _, size := range [][2]int{{1, 1}, {5, 7}, {1, 300}, {300, 1}, {150, 100}, {700, 240}, {3000, 9}} {
			img := paint(size[0], size[1])
			for _, o := range []options{{mode: fast}, {mode: small, format: formatBGRA}, {mode: palette, colours: 13}, {mode: palette, colours: 256}} {
				if got, want := m.png(t, img, o), plain.png(t, img, o); !bytes.Equal(got, want) {
					t.Errorf("%s, %v, %v: other bytes than by the encoder that is shipped", name, size, fmt.Sprint(o))
				}
			}
		}
	}
}
