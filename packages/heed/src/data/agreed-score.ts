/** A judge's scores of a pair shown in both orders: above 0 the first response is the better one. */
type BothOrders = readonly [number, number];

/** Whether both orders prefer the same response. */
export const ordersAgree = ([one, other]: BothOrders): boolean => Math.sign(one) === Math.sign(other);

/** The mean of both orders' scores; 0 where they disagree about which response is better (SALMON, arXiv 2310.05910). */
export const agreedScore = (scores: BothOrders): number => (ordersAgree(scores) ? scores[0] / 2 + scores[1] / 2 : 0);
