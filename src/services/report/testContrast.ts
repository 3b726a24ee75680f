/** Contrast of all texts of a page against what is behind them, by WCAG 2. */
import type { Page } from 'playwright-core';

export interface Contrast {
  readonly contrast: number;
  readonly text: string;
  /** Texts that were looked at. */
  readonly count: number;
}

/** The least of all that is shown. Backgrounds are single colours in our pages. */
export async function worstContrast(page: Page): Promise<Contrast> {
  return await page.evaluate<Contrast>(`(() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (rgb) => {
      const [r, g, b] = rgb.slice(0, 3).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let node = element; node !== null; node = node.parentElement) {
        const [r, g, b, alpha = 1] = numbers(getComputedStyle(node).backgroundColor);
        if (alpha > 0) return [r, g, b];
      }
      return [255, 255, 255];
    };
    let worst = { contrast: 21, text: '', count: 0 };
    let count = 0;
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].filter((node) => node.nodeType === 3 && node.textContent.trim() !== '');
      if (own.length === 0 || element.tagName === 'SCRIPT' || !element.checkVisibility()) continue;
      count += 1;
      const style = getComputedStyle(element);
      const isPlot = element instanceof SVGElement;
      const ink = luminance(numbers(isPlot ? style.fill : style.color));
      const ground = luminance(behind(isPlot ? element.closest('figure') : element));
      const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      if (contrast < worst.contrast) worst = { contrast, text: element.tagName + ' ' + own[0].textContent.trim().slice(0, 60) };
    }
    return { ...worst, count };
  })()`);
}
