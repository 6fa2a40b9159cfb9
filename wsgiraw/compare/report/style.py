"""The style sheet of the page: wide, narrow, printed, dark and light. What charts look like is in `colours`."""

from string import Template

__all__ = ["LAYOUT", "PAGE"]

PAGE = Template(
    """
html { background: $paper; color: $ink; }
a { color: $first; }
h1 + p, .soft-text, figcaption { color: $soft; }
th { color: $soft; border-bottom: 1px solid $rule; }
td { border-bottom: 1px solid $rule; }
td.key { background: $paper; }
details td.key { background: $panel; }
tr.reference td { background: $panel; }
.good-text { color: $good; }
.bad-text { color: $bad; }
.warning { border-left: 3px solid $bad; background: $panel; }
.panel, details, dl { background: $panel; border: 1px solid $rule; }
dt { color: $soft; }
"""
)

LAYOUT = """
html { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; color-scheme: light dark; }
body { max-width: 1160px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h1 + p { margin: 0 0 28px; }
h2 { font-size: 19px; margin: 40px 0 4px; overflow-wrap: anywhere; }
h2 + p { margin: 0 0 14px; overflow-wrap: anywhere; }
.charts { display: grid; gap: 20px 24px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.curves { margin-top: 20px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
figure { margin: 0; min-width: 0; }
.panel { border-radius: 8px; padding: 12px 14px; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
figcaption { font-size: 13px; margin-bottom: 6px; }
svg { display: block; width: 100%; height: auto; min-width: 280px; }
table { border-collapse: collapse; font-size: 13px; width: 100%; font-variant-numeric: tabular-nums; margin-top: 18px; }
th, td { padding: 5px 10px 5px 0; text-align: left; vertical-align: bottom; white-space: nowrap; }
th { font-weight: 500; white-space: normal; }
th.number, td.number { text-align: right; }
td.key { font-weight: 600; }
table.wrapped { font-size: 12px; }
.wrapped th, .wrapped td { white-space: normal; vertical-align: top; min-width: 66px; }
details { border-radius: 8px; padding: 8px 14px; margin-top: 18px; font-size: 13px; }
summary { cursor: pointer; }
.warning { padding: 8px 14px; border-radius: 4px; }
ul { padding-left: 20px; }
li, dd { overflow-wrap: anywhere; }
dl { border-radius: 8px; padding: 12px 16px; margin: 10px 0; font-size: 13px; display: grid; gap: 4px 18px;
  grid-template-columns: minmax(110px, max-content) 1fr; }
dt { max-width: 260px; overflow-wrap: anywhere; }
dd { margin: 0; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12px; }
@media (max-width: 640px) {
  body { padding: 16px 12px 32px; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 6px; }
  .panel { padding: 10px; }
  td.key { position: sticky; left: 0; min-width: 116px; max-width: 124px; white-space: normal;
    overflow-wrap: break-word; }
}
@media print {
  html { font-size: 12px; }
  body { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  table, table.wrapped { font-size: 8px; }
  .wrapped th, .wrapped td { min-width: 0; }
  th, td { padding: 3px 5px 3px 0; }
  td.key { white-space: normal; }
  .charts { grid-template-columns: repeat(3, 1fr); gap: 10px; }
  .curves { grid-template-columns: repeat(2, 1fr); }
  svg { min-width: 0; }
}
"""
