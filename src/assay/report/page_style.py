"""The style sheet of a page: light and dark, from 320 pixels up, and on paper."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --soft: #5a616b; --rule: #d9dde3; --box: #f5f6f8;
  --good: #146c36; --bad: #b3261e;
  --shade: #0003; --c0: #1f6feb; --c1: #7e22ce; --c2: #15803d; --c3: #c2410c; --c4: #a16207; --c5: #be185d; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e6e8eb; --soft: #a0a8b3; --rule: #343a42;
  --box: #1d2127; --good: #5fd08a; --bad: #ff8a80; --shade: #fff3;
  --c0: #6cb0ff; --c1: #cf9bff; --c2: #6fdc94; --c3: #ff9d66; --c4: #e5c04d; --c5: #ff8fc0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
main { max-width: 1180px; margin: 0 auto; padding: 16px; }
article + article { border-top: 4px solid var(--rule); margin-top: 48px; }
h1 { font-size: 1.6rem; margin: 16px 0 8px; }
h2 { font-size: 1.25rem; margin: 40px 0 8px; border-bottom: 1px solid var(--rule); padding-bottom: 4px; }
h3, h4 { font-size: 1rem; margin: 16px 0 4px; }
small { font-weight: normal; color: var(--soft); }
.verdict { font-size: 1.15rem; font-weight: 600; border-left: 6px solid; padding: 8px 12px; background: var(--box); }
.good { border-color: var(--good); color: var(--good); }
.bad { border-color: var(--bad); color: var(--bad); }
dl > div { display: grid; grid-template-columns: 9rem 1fr; gap: 0 12px; }
dt { color: var(--soft); }
dd { margin: 0; }
.mark { font-size: .85rem; border: 1px solid; border-radius: 3px; padding: 1px 6px; }
.answer { border-top: 1px solid var(--rule); padding-bottom: 8px; }
.answer h2 { font-size: 1rem; border: 0; margin: 16px 0 4px; padding: 0; }
.answer h3 { color: var(--soft); font-weight: 500; margin-top: 12px; }
.answer pre { margin: 4px 0; max-height: 28rem; overflow: auto; }
fieldset { border: 1px solid var(--rule); margin: 8px 0; display: flex; flex-wrap: wrap; gap: 2px 6px; }
fieldset label { margin-right: 10px; white-space: nowrap; } legend { color: var(--soft); }
.warm { font-weight: 600; } .cool { color: var(--soft); }
.scroll { overflow-x: auto; margin: 8px 0;
  background: linear-gradient(90deg, var(--paper) 50%, transparent) 0 0 / 40px,
  linear-gradient(270deg, var(--paper) 50%, transparent) 100% 0 / 40px,
  linear-gradient(90deg, var(--shade), transparent) 0 0 / 16px,
  linear-gradient(270deg, var(--shade), transparent) 100% 0 / 16px;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--rule);
  min-width: 5rem; }
th, td { overflow-wrap: break-word; } td.long { overflow-wrap: anywhere; min-width: 14rem; }
th[scope=row] { font-weight: 500; }
thead th { color: var(--soft); font-weight: 600; }
summary { cursor: pointer; color: var(--soft); padding: 4px 0; }
pre { background: var(--box); padding: 12px; white-space: pre-wrap; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 24px; }
figure { margin: 0; break-inside: avoid; max-width: 580px; }
svg { width: 100%; overflow: visible; height: auto; display: block; font: 13px system-ui, "DejaVu Sans", sans-serif; }
svg text { fill: var(--soft); stroke: var(--paper); stroke-width: 3; paint-order: stroke; }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.spot, .dot { stroke-width: 9; }
.told { fill: transparent; } .told:hover { fill: var(--ink); }
line.limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 6 4; }
.c0 { stroke: var(--c0); --key: var(--c0); } .c1 { stroke: var(--c1); --key: var(--c1); }
.c2 { stroke: var(--c2); --key: var(--c2); } .c3 { stroke: var(--c3); --key: var(--c3); }
.c4 { stroke: var(--c4); --key: var(--c4); } .c5 { stroke: var(--c5); --key: var(--c5); }
figcaption { font-size: .85rem; color: var(--soft); } .keys { display: block; }
.key { margin-right: 14px; white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: 16px; margin-right: 5px; vertical-align: middle;
  border-top: 3px solid var(--key, transparent); }
.key.limit::before { border-top: 2px dashed var(--bad); }
:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
@media (max-width: 700px) { table { width: max-content; min-width: 100%; }
  th, td { max-width: 14rem; min-width: 3rem; } }
@media (max-width: 500px) { dl > div { grid-template-columns: 1fr; margin-bottom: 6px; } main { padding: 12px; }
  thead { display: none; }
  table, tbody, tr, th[scope=row], td, td.long { display: block; width: auto; min-width: 0; max-width: none; }
  tr { border-bottom: 1px solid var(--rule); padding: 6px 0; }
  th[scope=row], td, td.long { border: 0; padding: 0 0 0 7.5rem; display: flow-root; }
  th[scope=row] { font-weight: 600; } td:empty { display: none; }
  [data-head]::before { content: attr(data-head); float: left; width: 7rem; margin-left: -7.5rem; color: var(--soft);
    font-weight: normal; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb; --box: #f5f5f5;
  --good: #146c36; --bad: #b3261e; --c0: #1f6feb; --c1: #7e22ce; --c2: #15803d; --c3: #c2410c; --c4: #a16207;
  --c5: #be185d; } body { font-size: 11pt; }
  .scroll { overflow: visible; background: none; }
  table { font-size: .8rem; } th, td { min-width: 0; padding-right: 8px; } td.long { min-width: 9rem; }
  tr, figure, .verdict { break-inside: avoid-page; } h1, h2, h3 { break-after: avoid-page; }
  details::details-content { content-visibility: visible; block-size: auto; } summary { list-style: none; }
  .plots { grid-template-columns: 1fr 1fr; } }
"""
