import{O as a}from"./index-D2eMM00k.js";import{t as r}from"./editor-BGTxgNU4.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
