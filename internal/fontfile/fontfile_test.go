package fontfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/fontfile"
	"github.com/pictifyd/pictifyd/internal/writing"
)

// The fonts of the starters, which are part of the tree.
const fonts = "../../template/starter/templates/assets/fonts"

func mustRead(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(fonts, name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestFontsTellWhatTheyAre(t *testing.T) {
	f, err := fontfile.Read(mustRead(t, "inter-latin.woff2"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Format != fontfile.WOFF2 || !strings.HasPrefix(f.Family, "Inter") || !f.Variable || f.MinWeight != 100 || f.MaxWeight != 900 || f.Italic || f.Restricted || f.Glyphs < 100 {
		t.Errorf("Inter says of itself %+v", f)
	}
	if !f.Has('a') || !f.Has('ß') || f.Has('ж') || f.Has('漢') {
		t.Error("Inter's Latin letters are not those that it has")
	}
	if !strings.Contains(f.Copyright, "The Inter Project Authors") {
		t.Errorf("its copyright is %q", f.Copyright)
	}
	italic, err := fontfile.Read(mustRead(t, "source-serif-4-latin-italic.woff2"))
	if err != nil || !italic.Italic {
		t.Errorf("an italic says %+v %v", italic, err)
	}
}

func TestFontsOfTheMachineAreRead(t *testing.T) {
	paths, _ := filepath.Glob("/usr/share/fonts/truetype/noto/NotoSans-*.ttf")
	collections, _ := filepath.Glob("/usr/share/fonts/opentype/noto/NotoSansCJK*.ttc")
	if len(paths) == 0 {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatal("no Noto Sans is installed: make chrome installs it")
		}
		t.Skip("fonts-noto-core is not installed")
	}
	for _, path := range append(paths, collections...) {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		f, err := fontfile.ReadAt(file, info.Size(), 0)
		if err != nil || f.Family == "" {
			t.Errorf("%s: %v", path, err)
		} else if strings.HasSuffix(path, "/NotoSans-Regular.ttf") && (f.Licence == "" || f.LicenceURL == "") {
			t.Errorf("%s has no licence: %q %q", path, f.Licence, f.LicenceURL)
		} else if scripts := writing.Covered(f.Has); len(scripts) == 0 || scripts[0] != "Latin" {
			t.Errorf("%s has the scripts %v", path, scripts)
		}
		_ = file.Close()
	}
}

func TestWhatIsNoFontIsRefused(t *testing.T) {
	whole := mustRead(t, "inter-latin.woff2")
	for name, data := range map[string][]byte{
		"nothing": nil, "a text": []byte("hello, this is no font at all, whatever it is called"), "a head": whole[:48], "half of one": whole[:len(whole)/2],
		"a magic": []byte("wOF2"), "an empty table": append([]byte("\x00\x01\x00\x00\x00\x00"), make([]byte, 60)...),
	} {
		if f, err := fontfile.Read(data); !errors.Is(err, fontfile.ErrNoFont) {
			t.Errorf("%s is read as %+v: %v", name, f, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(mustRead(f, "jetbrains-mono-latin.woff2"))
	f.Add([]byte("\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00cmap\x00\x00\x00\x00\x00\x00\x00\x1c\x00\x00\x00\x10"))
	f.Add([]byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if font, err := fontfile.Read(data); err == nil {
			writing.Covered(font.Has)
		}
	})
}
