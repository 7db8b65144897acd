function n(e){return e.split(`
`).filter((t,s,i)=>!(/^(---|\+\+\+) /.test(t)&&s<2)&&!(s===i.length-1&&t==="")).map(t=>({kind:t.startsWith("@@")?"place":t.startsWith("+")?"new":t.startsWith("-")?"gone":"same",text:t.startsWith("@@")?t:t.slice(1)}))}export{n as l};
