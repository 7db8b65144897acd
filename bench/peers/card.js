// The card of workloads/card.html for renderers that read a tree of nodes with
// styles instead of a document.
const text = (top, size, line, content, more) => ({
  style: { position: 'absolute', left: 128, top, width: 664, fontSize: size, lineHeight: `${line}px`, ...more }, content,
});

export const card = ({ title, line, price, link }) => ({
  style: {
    position: 'relative', display: 'flex', width: 1200, height: 630, overflow: 'hidden',
    backgroundImage: 'linear-gradient(135deg, #1b2a6b, #b3325a)', color: '#ffffff', fontFamily: 'Inter',
  },
  children: [
    {
      style: {
        position: 'absolute', left: 800, top: -120, width: 520, height: 520, boxSizing: 'border-box',
        border: '60px solid rgba(255, 255, 255, 0.13)', borderRadius: '50%',
      },
    },
    {
      style: {
        position: 'absolute', left: 80, top: 90, width: 760, height: 450, borderRadius: 24,
        backgroundColor: 'rgba(0, 0, 0, 0.33)', boxShadow: '0 16px 32px rgba(0, 0, 0, 0.5)',
      },
    },
    text(138, 64, 72, title, { fontWeight: 700, letterSpacing: '-1px' }),
    text(312, 28, 36, line),
    text(398, 40, 48, price, { fontWeight: 700 }),
    text(462, 24, 32, link),
  ],
});
